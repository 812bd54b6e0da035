"""``python -m services.complaints api|worker|relay``."""

from services.chassis.process import main
from services.complaints.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
