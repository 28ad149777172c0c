"""How the device is entered in a Tango database."""
