"""``python -m services.directory api|worker|relay``."""

from services.chassis.process import main
from services.directory.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
