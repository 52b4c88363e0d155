#!/bin/sh
# A cloud in a folder: cloud.sh DIR VERB INSTANCE [ARG…]. Slow, and about a third of what it is asked fails, by the digest of the
# request; asked again under another name it may work.
dir=$1 verb=$2 instance=$3
shift 3
case $verb in
create | boot) sleep 0.5 ;;
esac
draw=$(printf '%s %s' "$verb" "$instance" | cksum | cut -d' ' -f1)
case $verb in
create | boot | copy | exec)
	[ $((draw % 3)) -ne 0 ] || {
		echo "503 $verb of $instance: try again later" >&2
		exit 69
	}
	;;
esac
cd "$dir" || exit 69
case $verb in
create) mkdir "$instance" && : >"$instance/console" ;;
boot) echo booted >>"$instance/console" ;;
copy) cp "$1" "$instance/$2" ;;
alive) [ -d "$instance" ] ;;
# The status of the program is a word of the answer: the cloud's own failures are not the program's.
exec)
	(cd "$instance" && "$@" >>console 2>&1)
	echo "status $?"
	;;
console) exec tail -n +1 -f "$instance/console" ;;
destroy) rm -rf "$instance" ;;
esac
