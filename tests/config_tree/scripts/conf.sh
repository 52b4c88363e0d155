# conf.sh TO FROM: the configuration FROM, settled by ./Kconfig, into TO.
set -e
awk -f scripts/conf.awk Kconfig "$2" > "$1.new"
mv "$1.new" "$1"
