# cmd.sh SRC SOURCE DEPENDENCIES: what fixdep leaves beside an object.
name=${2%.c}.o
echo "savedcmd_$name := cc -c $2"
echo
echo "source_$name := $1/$2"
echo
echo "deps_$name := \\"
tr ' ' '\n' < "$3" | grep '\.h$' | sed "s|^include/|$1/include/|; s|^|  |; s|\$| \\\\|"
echo
