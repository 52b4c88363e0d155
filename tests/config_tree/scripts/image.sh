# image.sh CONFIG RULE SAME: what the kernel of this configuration is at the commit in ./number.
config=$1
kernel=$(cat number 2>/dev/null || echo 0)
[ -n "$3" ] && [ "$kernel" -ge "${3%-*}" ] && [ "$kernel" -le "${3#*-}" ] && kernel=same
all_on() {
	for option; do
		grep -q "^CONFIG_$option=[ym]" "$config" || return 1
	done
}
# The rule is a word and options: what becomes of kernels without one of them.
set -- $2
rule=$1
[ $# = 0 ] || shift
case $rule in
'') ;;
mute | broken | other | fading) all_on "$@" || kernel="$rule $kernel" ;;
fails) all_on "$@" || { echo "kernel/main.c:7:2: error: #error not without $*" >&2; exit 1; } ;;
*) echo "no such rule: $rule" >&2; exit 1 ;;
esac
echo "$kernel"
