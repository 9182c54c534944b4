/*
 * driver.c: runs one fuzz target once over every file of a folder, in a plain
 * sanitised build, so that every `test` repeats what fuzzing has taught.
 *
 *   target FOLDER
 *
 * Each input is copied into memory of exactly its size: a read past its end is
 * found. Targets themselves are tests/fuzz/<target>_fuzz.c, and define only
 *
 *   int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
 *
 * Their seeds lie in tests/fuzz/seeds/<target>/; an input that fuzzing found
 * harmful is put beside them once the fault is mended.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *path)
{
    perror(path);
    exit(2);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        die(path);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size);
    if ((data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        die(path);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argument_count, char **arguments)
{
    struct dirent **entries;
    if (argument_count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    int count = scandir(arguments[1], &entries, is_visible, alphasort);
    if (count < 0) {
        die(arguments[1]);
    }
    for (int at = 0; at < count; at++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", arguments[1],
                 entries[at]->d_name);
        printf("# %s\n", path); /* the last one said is the one that failed */
        fflush(stdout);
        run_file(path);
        free(entries[at]);
    }
    free(entries);
    const char *slash = strrchr(arguments[0], '/');
    const char *target = slash != NULL ? slash + 1 : arguments[0];
    if (count == 0) {
        printf("not ok fuzz seeds: %s: put some into %s\n", target,
               arguments[1]);
        return 1;
    }
    printf("ok fuzz seeds: %s, %d files\n", target, count);
    return 0;
}
