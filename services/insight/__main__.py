"""``python -m services.insight api|worker|relay``."""

from services.chassis.process import main
from services.insight.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
