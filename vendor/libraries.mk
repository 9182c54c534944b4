# libraries.mk: how each third-party library is compiled.
#
# All of them are plain C files compiled straight from build/src/, without
# their own build systems: one graph that make can run in parallel, no cmake,
# autotools or tclsh on the machine, and nothing that looks around on the host.
# For every library: its files, its flags, and (for our code) its headers.
#
# Uses: SRC, LIB (where objects and archives go), CC, LIB_CFLAGS, SYSTEM (what
# must exist before the first compilation).

LIBRARIES := mbedtls civetweb libuv1 better-sqlite3 libyaml yyjson libzstd zlib

# The widest table of options is SQLite's. THREADSAFE=2: a connection belongs
# to one thread, which design and code keep. DQS=0: "text" is never a string.
sqlite_options := THREADSAFE=2 DQS=0 ENABLE_STAT4 ENABLE_MATH_FUNCTIONS \
    DEFAULT_WAL_SYNCHRONOUS=1 DEFAULT_MEMSTATUS=0 DEFAULT_FOREIGN_KEYS=1 \
    LIKE_DOESNT_MATCH_BLOBS OMIT_DEPRECATED OMIT_SHARED_CACHE \
    OMIT_LOAD_EXTENSION STRICT_SUBTYPE=1 ENABLE_DBSTAT_VTAB
files_better-sqlite3 := deps/sqlite3/sqlite3.c
flags_better-sqlite3 := $(sqlite_options:%=-DSQLITE_%) -DHAVE_USLEEP=1 \
    -DHAVE_FDATASYNC=1 -DHAVE_STRCHRNUL=1 -DHAVE_LOCALTIME_R=1 \
    -DHAVE_GMTIME_R=1
headers_better-sqlite3 := deps/sqlite3

# Without files and CGI: only what a handler needs. NO_SSL leaves out OpenSSL.
# The quantum bounds how long stopping waits for idle workers (2 s unless set).
# Corrected by edits/civetweb.edit.
files_civetweb := src/civetweb.c
flags_civetweb = -DUSE_WEBSOCKET -DNO_SSL -DUSE_MBEDTLS -DNO_CGI -DNO_FILES \
    -DNO_CACHING -DUSE_IPV6 -D_GNU_SOURCE -DSOCKET_TIMEOUT_QUANTUM=200 \
    -Wno-cpp -I$(SRC)/civetweb/include $(MBEDTLS_CHOICES) \
    -I$(SRC)/mbedtls/include
headers_civetweb := include

uv_unix := async core dl fs getaddrinfo getnameinfo loop-watcher loop pipe \
    poll process proctitle random-devurandom random-getrandom \
    random-sysctl-linux signal stream tcp thread tty udp linux procfs-exepath
files_libuv1 = $(call in,libuv1,src/*.c) $(uv_unix:%=src/unix/%.c)
flags_libuv1 := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
    -I$(SRC)/libuv1/include -I$(SRC)/libuv1/src
headers_libuv1 := include

# The library asks a file for entropy on musl; runtime/entropy.c asks the
# kernel. Our code must see the same choices, hence MBEDTLS_CHOICES.
MBEDTLS_CHOICES := -Ivendor/runtime \
    -DMBEDTLS_USER_CONFIG_FILE='"mbedtls_choices.h"'
files_mbedtls = $(call in,mbedtls,library/*.c)
flags_mbedtls := $(MBEDTLS_CHOICES) -I$(SRC)/mbedtls/include \
    -I$(SRC)/mbedtls/library
headers_mbedtls := include

files_libyaml = $(call in,libyaml,src/*.c)
flags_libyaml := -DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 \
    -DYAML_VERSION_PATCH=5 -DYAML_VERSION_STRING='"0.2.5"' \
    -I$(SRC)/libyaml/include
headers_libyaml := include

files_yyjson := src/yyjson.c
headers_yyjson := src

files_libzstd = $(call in,libzstd,lib/common/*.c lib/compress/*.c \
    lib/decompress/*.c)
flags_libzstd := -DZSTD_DISABLE_ASM -DXXH_NAMESPACE=ZSTD_
headers_libzstd := lib

files_zlib = $(call in,zlib,*.c)
flags_zlib := -DHAVE_UNISTD_H -DHAVE_HIDDEN -D_LARGEFILE64_SOURCE=1
headers_zlib := .

# What our own sources are compiled with. -isystem: our warnings are for us.
LIBRARY_HEADERS := $(MBEDTLS_CHOICES) $(foreach name,$(LIBRARIES),\
    -isystem $(SRC)/$(name)/$(headers_$(name)))

# ---- rules -------------------------------------------------------------------

# in NAME,PATTERNS: the files of a library that match, relative to it.
in = $(patsubst $(SRC)/$(1)/%,%,$(sort $(wildcard $(addprefix $(SRC)/$(1)/,$(2)))))
library_of = $(firstword $(subst /, ,$(1)))

# One rule for all objects. They are made anew when the source was unpacked
# anew or when a flag in this file changed.
.SECONDEXPANSION:
$(LIB)/%.o: $(SRC)/%.c $(SRC)/$$(call library_of,$$*)/.unpacked \
            vendor/libraries.mk $(SYSTEM)
	mkdir -p $(@D)
	$(CC) $(LIB_CFLAGS) $(flags_$(call library_of,$*)) -c $< -o $@

define archive
$(LIB)/$(1).a: $(patsubst %.c,$(LIB)/$(1)/%.o,$(files_$(1)))
	rm -f $$@
	$(AR) rcsD $$@ $$^
	echo "built $(1)" >&2
endef
$(foreach name,$(LIBRARIES),$(eval $(call archive,$(name))))

ARCHIVES := $(LIBRARIES:%=$(LIB)/%.a)

# The longest single compilation starts first.
.PHONY: libraries
libraries: $(LIB)/better-sqlite3.a $(ARCHIVES)
