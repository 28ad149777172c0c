"""What stands behind the device, without Tango: settings, results, scans."""
