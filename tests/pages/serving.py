"""A process that serves a data directory, as `yinxin up` does, without founding the whole province first."""

import sys
from pathlib import Path

from ops.data import DataDirectory
from ops.secrets import secrets_of
from ops.server import serve
from ops.settings import configuration
from yinxin.clock import SystemClock

if __name__ == "__main__":
    data = DataDirectory(Path(sys.argv[1]))
    settings = configuration(data.config, [])
    serve(data, [], settings, secrets_of(data, settings, SystemClock()), lambda _where: None)
