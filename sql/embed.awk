# embed.awk: turns SQL files into C, so that a mistake in them stops the build.
#
#   awk -v kind=queries -v out=BASE -f embed.awk sql/queries/*.sql
#   awk -v kind=migrations -v out=BASE -f embed.awk sql/migrations/*.sql
#
# writes BASE.h.new and BASE.c.new. A query file holds queries, each introduced
# by "-- name: some_query", then comment lines, then one statement ended by a
# semicolon; the comments stay here. A migration is one file, NNNN_name.sql,
# applied in the order of numbers; it is kept whole, since SQLite keeps the
# comments of a CREATE TABLE in the database, where they explain it to whoever
# opens it.

BEGIN {
    header = out ".h.new"
    code = out ".c.new"
    if (kind == "queries") query_head(); else migration_head()
    if (ARGC == 1) exit # no files yet; END still closes the tables
}

FNR == 1 {
    if (kind == "queries") close_query()
    else open_migration()
    file = FILENAME
}

kind == "migrations" { text(code, $0); next }

/^-- name: / { close_query(); open_query($3); next }
/^[ \t]*(--.*)?$/ { next }
{
    if (name == "") fail("a statement before any \"-- name:\" line")
    if (ended) fail("query " name ": a second statement; give it a name")
    text(code, $0)
    lines++
    ended = /;[ \t]*$/
}

END {
    if (failed) exit 1
    if (kind == "queries") { close_query(); query_tail() }
    else migration_tail()
    if (failed) exit 1
}

function fail(message) {
    printf "%s:%d: %s\n", FILENAME, FNR, message > "/dev/stderr"
    failed = 1
    exit 1
}

# One line of SQL as one line of a C string.
function text(target, line) {
    gsub(/[\\"]/, "\\\\&", line)
    gsub(/\t/, "    ", line)
    printf "\n     \"%s\\n\"", line > target
}

function query_head() {
    print "/* Generated from sql/queries/. */" > header
    print "#ifndef ASSAY_GENERATED_QUERIES_H" > header
    print "#define ASSAY_GENERATED_QUERIES_H\n" > header
    print "enum query_id {" > header
    print "#include \"queries.h\"\n" > code
    print "const struct query_source query_sources[QUERY_COUNT + 1] = {" > code
}

function open_query(wanted) {
    if (wanted !~ /^[a-z][a-z0-9_]*$/)
        fail("query names are lower case words joined by _: " wanted)
    if (wanted in seen) fail("query " wanted " stands twice, see " seen[wanted])
    seen[wanted] = FILENAME
    name = wanted
    ended = lines = 0
    printf "    QUERY_%s,\n", toupper(name) > header
    printf "    {\"%s\",", name > code
}

function close_query() {
    if (name == "") return
    if (!lines) fail("query " name " in " file " is empty")
    if (!ended) fail("query " name " in " file " has no semicolon at its end")
    print "}," > code
    name = ""
}

function query_tail() {
    print "    QUERY_COUNT\n};\n" > header
    print "struct query_source {\n    const char *name;" > header
    print "    const char *sql;\n};\n" > header
    print "/* By query_id; the row after the last is empty. */" > header
    print "extern const struct query_source query_sources[];\n" > header
    print "#endif" > header
    print "    {0, 0}};" > code
}

function migration_head() {
    print "/* Generated from sql/migrations/. */" > header
    print "#ifndef ASSAY_GENERATED_MIGRATIONS_H" > header
    print "#define ASSAY_GENERATED_MIGRATIONS_H\n" > header
    print "struct migration_source {\n    int number;" > header
    print "    const char *name;\n    const char *sql;\n};\n" > header
    print "/* By number; the row after the last is empty. */" > header
    print "extern const struct migration_source migration_sources[];" > header
    print "extern const int migration_newest; /* the last number */\n" > header
    print "#endif" > header
    print "#include \"migrations.h\"\n" > code
    print "const struct migration_source migration_sources[] = {" > code
}

function open_migration(    base) {
    base = FILENAME
    sub(/.*\//, "", base)
    if (base !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+\.sql$/)
        fail("migrations are named NNNN_words.sql")
    if (newest) print "}," > code
    if (substr(base, 1, 4) + 0 <= newest)
        fail("the number " newest " is taken")
    newest = substr(base, 1, 4) + 0
    printf "    {%d, \"%s\",", newest, substr(base, 6, length(base) - 9) > code
}

function migration_tail() {
    if (newest) print "}," > code
    print "    {0, 0, 0}};" > code
    printf "const int migration_newest = %d;\n", newest > code
}
