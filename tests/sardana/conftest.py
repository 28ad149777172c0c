"""Sardana and Taurus warn when they are imported; their warnings are not ours to mend."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sardana.macroserver.scan.gscan
    import sardana.macroserver.scan.recorder.datarecorder  # noqa: F401
    import sardana_config.validate  # noqa: F401
    import taurus

# Taurus writes what any library says to the terminal, each HTTP request for one.
taurus.setLogLevel(taurus.Warning)
