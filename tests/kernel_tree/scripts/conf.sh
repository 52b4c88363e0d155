# conf.sh FILE: standard input settled by ./Kconfig (lines "SYMBOL DEFAULT [DEPENDS]") into FILE.
asked=$(cat)
{
	echo "#"
	echo "# Linux/x86 6.1.0 Kernel Configuration"
	echo "#"
	on=" "
	while read -r symbol value depends; do
		case "$asked" in
		*"CONFIG_$symbol=y"*) value=y ;;
		*"# CONFIG_$symbol is not set"*) value=n ;;
		esac
		[ -z "$depends" ] || case "$on" in *" $depends "*) ;; *) continue ;; esac
		if [ "$value" = y ]; then
			echo "CONFIG_$symbol=y"
			on="$on$symbol "
		else
			echo "# CONFIG_$symbol is not set"
		fi
	done < Kconfig
} > "$1.new" && mv "$1.new" "$1"
