// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer without libFuzzer, for any compiler: damage CORPUS [ROUNDS [SEED]].
 *
 * Tries each file of the corpus; those whose names start with "good" have to be
 * accepted. Then it damages them at random, ROUNDS times in all.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define FUZZ_MAX	65536
#define FUZZ_FILES	4096

static u32 fuzz_rand(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t fuzz_read(const char *name, u8 *buf)
{
	FILE *file = fopen(name, "rb");
	size_t len;

	if (!file) {
		perror(name);
		exit(1);
	}
	len = fread(buf, 1, FUZZ_MAX, file);
	fclose(file);
	return len;
}

/* Some bytes, most of them small, and some inputs cut short or made longer. */
static size_t fuzz_damage(u8 *buf, size_t len, u32 *seed)
{
	u32 n;

	for (n = fuzz_rand(seed) % 6; len && n; n--)
		buf[fuzz_rand(seed) % len] =
			fuzz_rand(seed) >> (fuzz_rand(seed) & 31);
	if (fuzz_rand(seed) % 4)
		return len;
	n = fuzz_rand(seed) % (len + 8);
	return n < FUZZ_MAX ? n : FUZZ_MAX;
}

int main(int argc, char **argv)
{
	unsigned long i, rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000;
	u32 n = 0, seed = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
	static struct {
		u8 *data;
		size_t len;
	} input[FUZZ_FILES];
	static u8 buf[FUZZ_MAX];
	struct dirent *entry;
	DIR *dir;

	dir = argc > 1 ? opendir(argv[1]) : NULL;
	if (!dir || chdir(argv[1])) {
		fprintf(stderr, "usage: %s CORPUS [ROUNDS [SEED]]\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir)) && n < FUZZ_FILES) {
		unsigned long before = fuzz_accepted;

		if (entry->d_name[0] == '.')
			continue;
		input[n].len = fuzz_read(entry->d_name, buf);
		input[n].data = fuzz_copy(buf, input[n].len);
		LLVMFuzzerTestOneInput(input[n].data, input[n].len);
		if (!strncmp(entry->d_name, "good", 4) &&
		    fuzz_accepted == before) {
			fprintf(stderr, "%s is refused\n", entry->d_name);
			return 1;
		}
		n++;
	}
	closedir(dir);
	if (!n) {
		fprintf(stderr, "%s: nothing in it\n", argv[1]);
		return 1;
	}
	for (i = 0; i < rounds; i++) {
		u32 pick = fuzz_rand(&seed) % n;

		memset(buf, 0, input[pick].len + 8 < FUZZ_MAX ?
		       input[pick].len + 8 : FUZZ_MAX);
		memcpy(buf, input[pick].data, input[pick].len);
		LLVMFuzzerTestOneInput(buf, fuzz_damage(buf, input[pick].len,
							&seed));
	}
	while (n--)
		free(input[n].data);
	printf("%lu inputs, %lu of them accepted, nothing found\n", rounds,
	       fuzz_accepted);
	return 0;
}
