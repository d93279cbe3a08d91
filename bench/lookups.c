/*
 * What a machine takes for the lookups of an exploration, in C: a table of so many states, as the engine lays it
 * out (an entry of 32 bits, and a row of 16 bytes), and so many lookups of known states, each of them in the level
 * that is being looked at, in batches, entries and rows fetched ahead. Prints nanoseconds per lookup, the best of five.
 *
 *   lookups <states> <lookups> <states of a level>
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 256, WORDS = 3, STRIDE = 4, RUNS = 5 };

static uint32_t hash(const uint32_t *words)
{
	uint32_t h = 0;
	for (int i = 0; i < WORDS; i++) {
		h = (h ^ words[i]) * 0x9e3779b1u;
		h ^= h >> 16;
	}
	h *= 0x85ebca6bu;
	return h ^ (h >> 15);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int count, char **word)
{
	if (count != 4)
		return 2;
	uint32_t states = (uint32_t)atol(word[1]), level = (uint32_t)atol(word[3]);
	long batches = atol(word[2]) / BATCH, found = 0;
	uint32_t slots = 64;
	while (slots * 0.8 < states)
		slots *= 2;
	uint32_t *rows = malloc((size_t)states * STRIDE * 4), *table = calloc(slots, 4);
	uint32_t wanted[BATCH * WORDS], hashes[BATCH], seed = 1;
	if (rows == NULL || table == NULL || batches < 1 || level < 1 || level > states)
		return 2;
	for (uint32_t i = 0; i < states; i++) {
		uint32_t *row = rows + (size_t)i * STRIDE;
		row[0] = i % 17, row[1] = i * 2654435761u, row[2] = i / 3, row[3] = i;
		uint32_t slot = hash(row) & (slots - 1);
		while (table[slot] != 0)
			slot = (slot + 1) & (slots - 1);
		table[slot] = i + 1;
	}
	double best = 1e9;
	for (int run = 0; run < RUNS; run++) {
		double time = 0;
		for (long b = 0; b < batches; b++) {
			uint32_t begin = (uint32_t)((double)b / (double)batches * (states - level));
			for (int i = 0; i < BATCH; i++) {
				seed = seed * 1664525u + 1013904223u;
				const uint32_t *row = rows + (size_t)(begin + (seed >> 8) % level) * STRIDE;
				for (int w = 0; w < WORDS; w++)
					wanted[i * WORDS + w] = row[w];
			}
			double began = now();
			for (int i = 0; i < BATCH; i++) {
				hashes[i] = hash(wanted + i * WORDS);
				__builtin_prefetch(table + (hashes[i] & (slots - 1)));
			}
			for (int i = 0; i < BATCH; i++) {
				uint32_t entry = table[hashes[i] & (slots - 1)];
				if (entry != 0)
					__builtin_prefetch(rows + (size_t)(entry - 1) * STRIDE);
			}
			for (int i = 0; i < BATCH; i++) {
				const uint32_t *want = wanted + i * WORDS;
				for (uint32_t slot = hashes[i] & (slots - 1);; slot = (slot + 1) & (slots - 1)) {
					const uint32_t *row = rows + (size_t)(table[slot] - 1) * STRIDE;
					if (row[0] == want[0] && row[1] == want[1] && row[2] == want[2])
						break;
				}
				found++;
			}
			time += now() - began;
		}
		if (time < best)
			best = time;
	}
	if (found != RUNS * batches * BATCH)
		return 1;
	printf("%.1f\n", 1e9 * best / (double)(batches * BATCH));
	return 0;
}
