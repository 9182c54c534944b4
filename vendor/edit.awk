# edit.awk: corrects a fetched source where it stands.
#
#   awk -v top=DIRECTORY -f edit.awk EDITS
#
# EDITS is a list of replacements, each with the reason above it:
#
#   === FILE            the file below DIRECTORY, for all that follows
#   --- why             prose
#   --- find            lines as they stand in the file
#   --- put             lines that take their place; "@@" alone in a line stands
#                       for the lines that were found
#
# Every replacement must match exactly once, or nothing is written and the exit
# code is 1: a new release of the library is looked at, not edited by luck.
# Patches in the usual form would carry more of the library's text than needed
# and would apply with an offset, in silence.
function fail(what) {
    printf "edit: %s:%d: %s\n", FILENAME, at, what > "/dev/stderr"
    failed = 1
    exit 1
}

# Whole, as one record: no source holds the byte 1.
function load(file,    text) {
    if (file in content)
        return
    RS = "\001"
    if ((getline text < file) <= 0)
        fail("cannot read " file)
    RS = "\n"
    close(file)
    content[file] = text
    files[++count] = file
}

function replace(    text, place, rest) {
    if (find == "")
        return
    text = content[file]
    place = index(text, find)
    if (place == 0)
        fail("does not stand in " file)
    rest = substr(text, place + length(find))
    if (index(rest, find) > 0)
        fail("stands more than once in " file)
    content[file] = substr(text, 1, place - 1) put rest
    find = put = ""
}

/^=== / { replace(); file = top "/" $2; load(file); part = ""; next }
/^--- why$/ { replace(); part = "why"; next }
/^--- find$/ { replace(); part = "find"; at = FNR; next }
/^--- put$/ { part = "put"; next }
part == "find" { find = find $0 "\n" }
part == "put" { put = put ($0 == "@@" ? find : $0 "\n") }

END {
    if (failed)
        exit 1
    replace()
    for (i = 1; i <= count; i++)
        printf "%s", content[files[i]] > files[i]
}
