"""File systems as Linux lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyvine_cli.archive.mount import NETWORK, file_system, network_file_system

TABLE = """\
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:26 / /home rw,nosuid - nfs4 server:/home rw,vers=4.2
31 30 0:27 / /home/ann/local rw - btrfs /dev/sdb rw
40 21 0:40 / /mnt/My\\040Share rw shared:9 master:1 - cifs //nas/share rw
41 21 0:41 / /mnt/twice rw - cifs //nas/share rw
42 21 0:42 / /mnt/twice rw - xfs /dev/sdc rw
43 21 0:43 / /mnt/ssh rw - fuse.sshfs ann@host:/ rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/var/lib/x", "ext4", id="root"),
        pytest.param("/home/ann/.local/state", "nfs4", id="below a mount"),
        pytest.param("/home/ann/local/x", "btrfs", id="mount within a mount"),
        pytest.param("/homely", "ext4", id="only alike"),
        pytest.param("/mnt/My Share/x", "cifs", id="blank in the name"),
        pytest.param("/mnt/twice/x", "xfs", id="covered mount"),
        pytest.param("/mnt/ssh", "fuse.sshfs", id="fuse"),
    ],
)
def test_file_system_of_a_path(path: str, kind: str) -> None:
    """The longest mount point that holds the path decides, the later of two."""
    assert file_system(Path(path), TABLE) == kind


def test_no_table_no_answer() -> None:
    """Where nothing matches nothing is claimed."""
    assert file_system(Path("/x"), "") is None


def test_this_machine_is_asked_without_harm(tmp_path: Path) -> None:
    """The answer is None or one of the known network file systems."""
    kind = network_file_system(tmp_path)

    assert kind is None or kind in NETWORK
