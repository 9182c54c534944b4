# floors.awk: holds the includes of app/ against the map in floors.txt.
#
#   awk -f floors.awk floors.txt FILE...
#
# prints one line for every include that breaks a rule.

function room_of(path,    parts) {
    split(path, parts, "/")
    return parts[2] ~ /\./ ? "main" : parts[2]
}

function complain(message) { print FILENAME ":" FNR ": " message }

FNR == NR {
    if ($1 == "floor") for (i = 3; i <= NF; i++) floor[$i] = $2
    if ($1 == "open") open[$2] = 1
    if ($1 == "apart") apart[$2, $3] = 1
    if ($1 == "pure") for (i = 2; i <= NF; i++) pure[$i] = 1
    if ($1 == "only") { only[$2] = 1; for (i = 3; i <= NF; i++) may[$2, $i] = 1 }
    next
}

FNR == 1 {
    here = room_of(FILENAME)
    if (!(here in floor)) complain("room " here " stands on no floor; add it to tests/check/floors.txt")
}

/^#include/ {
    header = $2
    gsub(/[<>"]/, "", header)
    if ($2 ~ /^"/ && header ~ /\//) own(header)
    else foreign(header)
}

here in pure && /(clock_wall_ms|clock_monotonic_us|fopen|fprintf) *\(/ {
    complain("room " here " is pure: pass the time in, return the text")
}

# "room/header.h"
function own(header,    parts, there) {
    split(header, parts, "/")
    there = parts[1]
    if (!(there in floor)) {
        complain("\"" header "\" belongs to no room; write includes from app/")
    } else if (there != here && floor[there] >= floor[here]) {
        complain(here " may not include " there ": not on a lower floor")
    } else if ((here, there) in apart) {
        complain(here " never includes " there)
    } else if (there != here && !(there in open) && parts[2] != there ".h") {
        complain("\"" header "\" is private to " there "; include \"" there "/" there ".h\"")
    }
}

# <library.h>, <library/part.h> and generated "header.h"
function foreign(header,    parts) {
    split(header, parts, "/")
    if (here in pure && header ~ /^(time|fcntl|unistd|dirent|poll|netdb|pthread)\.h$|^(sys|net|netinet|arpa)\//)
        complain("room " here " is pure: <" header "> is not for it")
    if ((header in only) && !((header, here) in may))
        complain("<" header "> is not for room " here)
    if (header != parts[1] && (parts[1] in only) && !((parts[1], here) in may))
        complain("<" header "> is not for room " here)
}
