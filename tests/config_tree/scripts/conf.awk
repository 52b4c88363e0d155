# Kconfig and a configuration -> the configuration that holds. Knows symbols, their types and defaults, `depends on` and `if` with && and !,
# `select`, and helps.
function met(expression,    terms, count, i, name) {
	count = split(expression, terms, / *&& */)
	for (i = 1; i <= count; i++) {
		name = terms[i]
		if (name == "")
			continue
		if (name ~ /^!/ ? is[substr(name, 2)] : !is[name])
			return 0
	}
	return 1
}
function conditions(    i, all) {
	for (i = 1; i <= depth; i++)
		all = all " && " block[i]
	return all
}
FNR == NR {
	if (help && ($0 ~ /^\t  / || $0 == ""))
		next
	help = 0
	rest = $0
	sub(/^[ \t]*[a-z_]+ */, "", rest)
	if ($1 == "config" || $1 == "menuconfig") {
		symbol = $2
		order[++symbols] = symbol
		needs[symbol] = conditions()
	} else if ($1 == "menu" || $1 == "choice") {
		block[++depth] = ""
		symbol = ""
	} else if ($1 == "if") {
		block[++depth] = rest
	} else if ($1 ~ /^end/) {
		depth--
	} else if ($1 == "help") {
		help = 1
	} else if ($1 == "depends") {
		sub(/^on */, "", rest)
		if (symbol == "")
			block[depth] = rest
		else
			needs[symbol] = needs[symbol] " && " rest
	} else if ($1 == "select") {
		selects[symbol] = selects[symbol] " " $2
	} else if ($1 == "default" || $1 == "def_bool") {
		fallback[symbol] = $2
		if ($1 == "def_bool")
			type[symbol] = "bool"
	} else if ($1 ~ /^(bool|tristate|int|string)$/) {
		type[symbol] = $1
		prompt[symbol] = rest != ""
	}
	next
}
/^CONFIG_/ {
	at = index($0, "=")
	asked[substr($0, 8, at - 8)] = substr($0, at + 1)
}
/^# CONFIG_.* is not set$/ {
	asked[substr($2, 8)] = "n"
}
END {
	do {
		changed = 0
		for (i = 1; i <= symbols; i++) {
			symbol = order[i]
			value = fallback[symbol]
			if (prompt[symbol] && symbol in asked)
				value = asked[symbol]
			if (type[symbol] == "string" && value == "")
				value = "\"\""
			if (!met(needs[symbol]))
				value = ""
			for (j = 1; j <= symbols; j++)
				if (is[order[j]] && index(selects[order[j]] " ", " " symbol " "))
					value = "y"
			on = value == "y" || value == "m"
			if (value != got[symbol] || on != is[symbol])
				changed = 1
			got[symbol] = value
			is[symbol] = on
		}
	} while (changed && ++rounds < 100)
	print "#\n# Linux/x86 6.1.0 Kernel Configuration\n#"
	for (i = 1; i <= symbols; i++) {
		symbol = order[i]
		plain = type[symbol] == "int" || type[symbol] == "string"
		if (is[symbol] || plain && got[symbol] != "")
			print "CONFIG_" symbol "=" got[symbol]
		else if (prompt[symbol] && met(needs[symbol]))
			print "# CONFIG_" symbol " is not set"
	}
}
