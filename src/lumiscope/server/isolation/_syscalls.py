"""Numbers of the system calls that a scoring child is refused, for the machines that are known.

From Linux' `unistd` tables (x86_64's own, and the generic one that aarch64 uses); "-" where a machine lacks the call.
From 424 on all machines share their numbers. Calls beyond `LAST_KNOWN` are refused unseen: what is not yet invented
opens no way out.
"""

from __future__ import annotations

from collections.abc import Mapping

LAST_KNOWN = 462  # mseal, Linux 6.10
MACHINES = ("x86_64", "aarch64")
AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# What the filter decides by an argument, or must give another error than "not permitted".
JUDGED = """
clone 56 220 | clone3 435 435 | open 2 - | openat 257 56 | openat2 437 437 | tgkill 234 131 | prctl 157 167
fcntl 72 25
"""
PROCESSES = """
fork 57 - | vfork 58 - | execve 59 221 | execveat 322 281 | setsid 112 157 | setpgid 109 154
kill 62 129 | tkill 200 130 | rt_sigqueueinfo 129 138 | rt_tgsigqueueinfo 297 240 | ptrace 101 117
process_vm_readv 310 270 | process_vm_writev 311 271 | process_madvise 440 440 | kcmp 312 272
pidfd_open 434 434 | pidfd_getfd 438 438 | pidfd_send_signal 424 424
"""
NETWORK = """
socket 41 198 | socketpair 53 199 | io_uring_setup 425 425 | io_uring_enter 426 426 | io_uring_register 427 427
"""
# Memory that no resident set shows, and what outlives the process that made it.
SHARED_MEMORY = """
memfd_create 319 279 | memfd_secret 447 447 | shmget 29 194 | shmat 30 196 | shmctl 31 195 | semget 64 190
semctl 66 191 | semop 65 193 | msgget 68 186 | msgctl 71 187 | msgsnd 69 189 | mq_open 240 180 | mq_unlink 241 181
"""
# Landlock judges neither metadata nor files opened by a handle.
FILES = """
chmod 90 - | fchmod 91 52 | fchmodat 268 53 | fchmodat2 452 452 | chown 92 - | lchown 94 - | fchown 93 55
fchownat 260 54 | setxattr 188 5 | lsetxattr 189 6 | fsetxattr 190 7 | removexattr 197 14 | lremovexattr 198 15
fremovexattr 199 16 | utime 132 - | utimes 235 - | futimesat 261 - | utimensat 280 88 | truncate 76 45
name_to_handle_at 303 264 | open_by_handle_at 304 265 | fanotify_init 300 262 | fanotify_mark 301 263
inotify_init 253 - | inotify_init1 294 26 | quotactl 179 60 | quotactl_fd 443 443
"""
MACHINE = """
mount 165 40 | umount2 166 39 | pivot_root 155 41 | chroot 161 51 | unshare 272 97 | setns 308 268 | open_tree 428 428
move_mount 429 429 | fsopen 430 430 | fsconfig 431 431 | fsmount 432 432 | fspick 433 433 | mount_setattr 442 442
bpf 321 280 | perf_event_open 298 241 | userfaultfd 323 282 | add_key 248 217 | request_key 249 218 | keyctl 250 219
init_module 175 105 | finit_module 313 273 | delete_module 176 106 | kexec_load 246 104 | kexec_file_load 320 294
reboot 169 142 | swapon 167 224 | swapoff 168 225 | sethostname 170 161 | setdomainname 171 162 | acct 163 89
settimeofday 164 170 | clock_settime 227 112 | adjtimex 159 171 | clock_adjtime 305 266 | syslog 103 116
personality 135 92 | vhangup 153 58 | iopl 172 - | ioperm 173 - | modify_ldt 154 - | capset 126 91
"""
REFUSED = PROCESSES + NETWORK + SHARED_MEMORY + FILES + MACHINE


def numbers(table: str, machine: str) -> Mapping[str, int]:
    """Name -> number of the calls of a table that `machine` has."""
    column = 1 + MACHINES.index(machine)
    rows = [row.split() for line in table.split("\n") for row in line.split("|") if row.strip()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
