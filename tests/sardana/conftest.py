"""Sardana and Taurus warn when they are imported; their warnings are not ours to mend."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sardana.macroserver.scan.gscan
    import sardana.macroserver.scan.recorder.datarecorder  # noqa: F401
    import sardana_config.validate  # noqa: F401
