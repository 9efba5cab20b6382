"""Run a program that must not outlive the process that started it.

Used as a script by `launcher.leashed`, never imported: it runs in an isolated interpreter that ends in
`exec`, so that nothing of ours runs between `fork` and `exec` in the process that starts children.

    leash.py PARENT_PID SIGNAL UID:GID|- CAPABILITY|- PROGRAM ARGUMENT...

On Linux the kernel sends SIGNAL when the parent ends, even by SIGKILL. Elsewhere only the account is changed,
and what a killed launcher leaves behind is ended at the next start.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def become(uid: int, gid: int, capability: int | None) -> None:
    """Give up root for another account, keeping at most one capability across the coming `exec`."""
    libc = ctypes.CDLL(None, use_errno=True) if capability is not None else None
    if libc is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if libc is None or capability is None:
        return
    bits = 1 << capability
    header = _Header(LINUX_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)(_Sets(bits, bits, bits), _Sets(0, 0, 0))
    if (
        libc.capset(ctypes.byref(header), sets) != 0
        or libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0
    ):
        sys.exit(f"cannot keep capability {capability}: {os.strerror(ctypes.get_errno())}")


def main(arguments: list[str]) -> None:
    """Apply the leash to this process and turn into the program."""
    parent, number, account, capability, *program = arguments
    if account != "-":
        uid, gid = (int(part) for part in account.split(":"))
        become(uid, gid, None if capability == "-" else int(capability))
    if sys.platform == "linux":  # after the change of account, which clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != int(parent):  # it ended before the leash was on
            sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
