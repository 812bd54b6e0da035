"""``python -m services.volunteers api|worker|relay``."""

from services.chassis.process import main
from services.volunteers.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
