"""Run the server: ``python -m femtotango.device INSTANCE``."""

from femtotango.device.analysis import main

if __name__ == "__main__":
    main()
