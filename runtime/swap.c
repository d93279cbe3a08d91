/* ---- Swap: madvise(MADV_PAGEOUT), and reclaim of a control group's memory ---- */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { PATIENCE = 5 };

static const char *swap_probe(void)
{
	char text[4000];
	if (read_file("/proc/swaps", text, sizeof text) < 0)
		return "/proc/swaps cannot be read";
	char *second = strchr(text, '\n');
	if (second == NULL || second[1] == 0)
		return "this machine has no swap";
	return pagemap_probe();
}

static int is_present(int page)
{
	return (int)(pagemap_of(page_at(page)) >> PRESENT_BIT & 1);
}

/*
 * Reclaim may leave a page alone; whether it did is part of the outcome. A page that it gives back waits in a batch of
 * this processor (putback_lru_page), where the next attempt would not find it.
 */
PART void pageout(int page, int effect)
{
	int was = is_present(page);
	move_begins();
	for (int i = 0; i < PATIENCE && is_present(page); i++) {
		if (i > 0) {
			drain_batch();
			usleep(1000);
		}
		unless_unmapped("madvise(MADV_PAGEOUT)", madvise(page_at(page), PAGE_BYTES, MADV_PAGEOUT));
	}
	move_ends();
	S->effect[effect] = was && !is_present(page) ? DONE : STAYED;
}

PART const struct part swap_part = { .probe = swap_probe };
