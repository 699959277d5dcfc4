# Stays in front while the demo runs. A shell can catch signals; a Rust program can do so only by a library.
#
# "$@" keeps the programs, and ends them when its standard input ends. This shell holds the other end of that pipe: it
# lets go when it is told to stop, and whoever kills it makes it let go too. What reaches all of us, such as Ctrl-C, the
# keeper itself does not hear: it has programs to wait for.
pipe="${TMPDIR:-/tmp}/orla-demo.$$"
trap 'exec 3>&-' INT TERM HUP
mkfifo -m 600 "$pipe" || exit 1
(
    trap '' INT TERM HUP
    exec "$@"
) <"$pipe" &
keeper=$!
exec 3>"$pipe"
rm -f "$pipe"
wait "$keeper"
status=$?
# A signal ends `wait` before it ends the keeper.
while kill -0 "$keeper" 2>/dev/null; do
    wait "$keeper"
    status=$?
done
exit "$status"
