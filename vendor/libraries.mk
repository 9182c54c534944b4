# libraries.mk: how each third-party library is compiled.
#
# All of them are plain C files compiled straight from build/src/, without
# their own build systems: one graph that make can run in parallel, no cmake,
# autotools or tclsh on the machine, and nothing that looks around on the host.
# For every library: its files, its flags, and (for our code) its headers.
#
# Uses: SRC, LIB (where objects and archives go), CC, LIB_CFLAGS, SYSTEM (what
# must exist before the first compilation).

LIBRARIES := mbedtls civetweb libuv1 better-sqlite3 libyaml yyjson libzstd zlib \
    curl nghttp2 libsecp256k1 python-aiohttp

# The widest table of options is SQLite's. THREADSAFE=2: a connection belongs
# to one thread, which design and code keep. DQS=0: "text" is never a string.
sqlite_options := THREADSAFE=2 DQS=0 ENABLE_STAT4 ENABLE_MATH_FUNCTIONS \
    DEFAULT_WAL_SYNCHRONOUS=1 DEFAULT_MEMSTATUS=0 DEFAULT_FOREIGN_KEYS=1 \
    LIKE_DOESNT_MATCH_BLOBS OMIT_DEPRECATED OMIT_SHARED_CACHE \
    OMIT_LOAD_EXTENSION STRICT_SUBTYPE=1 ENABLE_DBSTAT_VTAB ENABLE_SNAPSHOT
files_better-sqlite3 := deps/sqlite3/sqlite3.c
flags_better-sqlite3 := $(sqlite_options:%=-DSQLITE_%) -DHAVE_USLEEP=1 \
    -DHAVE_FDATASYNC=1 -DHAVE_STRCHRNUL=1 -DHAVE_LOCALTIME_R=1 \
    -DHAVE_GMTIME_R=1
headers_better-sqlite3 := deps/sqlite3

# Without files and CGI: only what a handler needs. NO_SSL: what encrypts is in
# base/tls.c, reached by callbacks.
# The quantum bounds how long stopping waits for idle workers (2 s unless set).
# Corrected by edits/civetweb.edit.
files_civetweb := src/civetweb.c
flags_civetweb = -DUSE_WEBSOCKET -DNO_SSL -DNO_CGI -DNO_FILES \
    -DNO_CACHING -DUSE_IPV6 -D_GNU_SOURCE -DSOCKET_TIMEOUT_QUANTUM=200 \
    -Wno-cpp -I$(SRC)/civetweb/include
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
# -O3: a handshake of ours is arithmetic, and probes shake hands all day.
everest := 3rdparty/everest
MBEDTLS_CHOICES := -Ivendor/config \
    -DMBEDTLS_USER_CONFIG_FILE='"mbedtls_choices.h"' \
    -isystem $(SRC)/mbedtls/$(everest)/include
files_mbedtls = $(call in,mbedtls,library/*.c) $(everest)/library/everest.c \
    $(everest)/library/x25519.c $(everest)/library/Hacl_Curve25519_joined.c
flags_mbedtls := -O3 $(MBEDTLS_CHOICES) -I$(SRC)/mbedtls/include \
    -I$(SRC)/mbedtls/library \
    -I$(SRC)/mbedtls/$(everest)/include/everest \
    -I$(SRC)/mbedtls/$(everest)/include/everest/kremlib
headers_mbedtls := include

# The client: HTTP/1.1 and 2 over mbedtls, nothing else; config/curl_config.h
# says so. Which trust anchors hold is decided at run time.
files_curl = $(call in,curl,lib/*.c lib/vauth/*.c lib/vtls/*.c lib/vquic/*.c \
    lib/vssh/*.c lib/curlx/*.c)
flags_curl = -DBUILDING_LIBCURL -DCURL_STATICLIB -DCURL_HIDDEN_SYMBOLS \
    -DHAVE_CONFIG_H -D_GNU_SOURCE -fvisibility=hidden $(MBEDTLS_CHOICES) \
    -I$(SRC)/curl/include -I$(SRC)/curl/lib -I$(SRC)/mbedtls/include \
    $(NGHTTP2_HEADERS)
headers_curl := include

# Its header with the version is made from a template.
NGHTTP2_VERSION := $(LIB)/nghttp2/include/nghttp2/nghttp2ver.h
NGHTTP2_HEADERS := -DNGHTTP2_STATICLIB -isystem $(LIB)/nghttp2/include \
    -isystem $(SRC)/nghttp2/lib/includes
files_nghttp2 = $(call in,nghttp2,lib/*.c)
flags_nghttp2 = -DBUILDING_NGHTTP2 -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H \
    -DHAVE_CLOCK_GETTIME -DHAVE_DECL_CLOCK_MONOTONIC $(NGHTTP2_HEADERS)
headers_nghttp2 := lib/includes

# Small tables: a probe signs a few times a minute.
files_libsecp256k1 := src/secp256k1.c src/precomputed_ecmult.c \
    src/precomputed_ecmult_gen.c
flags_libsecp256k1 := -DENABLE_MODULE_RECOVERY=1 -DECMULT_WINDOW_SIZE=6 \
    -DCOMB_BLOCKS=11 -DCOMB_TEETH=6 -I$(SRC)/libsecp256k1/include
headers_libsecp256k1 := include

# llhttp, the parser of HTTP/1.1 for the sandbox network's servers.
llhttp := vendor/llhttp
files_python-aiohttp := $(llhttp)/build/c/llhttp.c $(llhttp)/src/native/api.c \
    $(llhttp)/src/native/http.c
flags_python-aiohttp := -I$(SRC)/python-aiohttp/$(llhttp)/build
headers_python-aiohttp := $(llhttp)/build

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
LIBRARY_HEADERS := $(MBEDTLS_CHOICES) -DCURL_STATICLIB $(NGHTTP2_HEADERS) \
    -isystem $(SRC)/mimalloc/include $(foreach name,$(LIBRARIES),\
    -isystem $(SRC)/$(name)/$(headers_$(name)))

# ---- rules -------------------------------------------------------------------

# in NAME,PATTERNS: the files of a library that match, relative to it.
in = $(patsubst $(SRC)/$(1)/%,%,$(sort $(wildcard $(addprefix $(SRC)/$(1)/,$(2)))))
library_of = $(firstword $(subst /, ,$(1)))

# One rule for all objects. They are made anew when the source was unpacked
# anew or when a flag in this file or a choice in config/ changed.
CONFIG_FILES := $(sort $(wildcard vendor/config/*.h))
.SECONDEXPANSION:
$(LIB)/%.o: $(SRC)/%.c $(SRC)/$$(call library_of,$$*)/.unpacked \
            vendor/libraries.mk $(CONFIG_FILES) $(SYSTEM)
	mkdir -p $(@D)
	$(CC) $(LIB_CFLAGS) $(flags_$(call library_of,$*)) -c $< -o $@

$(NGHTTP2_VERSION): $(SRC)/nghttp2/.unpacked
	mkdir -p $(@D)
	sed -e 's/@PACKAGE_VERSION@/1.64.0/; s/@PACKAGE_VERSION_NUM@/0x014000/' \
	    $(SRC)/nghttp2/lib/includes/nghttp2/nghttp2ver.h.in > $@
$(foreach name,curl nghttp2,$(files_$(name):%.c=$(LIB)/$(name)/%.o)): \
    $(NGHTTP2_VERSION)

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
