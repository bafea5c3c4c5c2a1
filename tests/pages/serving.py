"""A process that serves a data directory, as `yinxin up` does, without founding the whole province first."""

import sys
from pathlib import Path

from ops.data import DataDirectory
from ops.server import serve
from ops.settings import configuration

if __name__ == "__main__":
    data = DataDirectory(Path(sys.argv[1]))
    serve(data, [], configuration(data.config), lambda _where: None)
