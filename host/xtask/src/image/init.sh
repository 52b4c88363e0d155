#!/bin/sh
# The first program of kbisect's disk image: mounts, a network, sshd. Everything else is the reproducer's own business.
# Where kbisect has loaded modules from an initramfs, /dev and /lib/modules are mounted already.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for at in /dev/shm /run; do mount -t tmpfs tmpfs $at; done
for what in debugfs:/sys/kernel/debug tracefs:/sys/kernel/tracing securityfs:/sys/kernel/security cgroup2:/sys/fs/cgroup; do
    [ -d "${what#*:}" ] && mount -t "${what%%:*}" "${what%%:*}" "${what#*:}"
done 2>/dev/null
hostname kbisect

# QEMU's own network: the guest is always 10.0.2.15.
busybox ip link set lo up
for card in /sys/class/net/e*; do
    card=${card##*/}
    busybox ip addr add 10.0.2.15/24 dev "$card" && busybox ip link set "$card" up && busybox ip route add default via 10.0.2.2
done

# The key of this run is a credential on the kernel's command line, as systemd would take it.
mkdir -p -m 700 /root/.ssh
sed -n 's/.*ssh\.authorized_keys\.root:\([^"]*\)".*/\1/p' /proc/cmdline >/root/.ssh/authorized_keys

mkdir -p /run/sshd
/usr/sbin/sshd
# Orphans are reaped while the shell waits.
while :; do sleep 60; done
