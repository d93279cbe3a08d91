/* ---- KSM ---- */

#ifndef MADV_MERGEABLE
#define MADV_MERGEABLE 12
#define MADV_UNMERGEABLE 13
#endif

static const char *const ksm_setting[] = { "run", "pages_to_scan", "sleep_millisecs" };
enum { KSM_SETTINGS = 3 };
static char ksm_before[KSM_SETTINGS][40];

static void ksm_path(char *path, size_t room, const char *name)
{
	snprintf(path, room, "/sys/kernel/mm/ksm/%s", name);
}

static void ksm_set(const char *name, const char *value)
{
	char path[100];
	ksm_path(path, sizeof path, name);
	if (write_file(path, value) != 0)
		broken("%s: %s", path, strerror(errno));
}

static long ksm_get(const char *name)
{
	char path[100], text[40];
	ksm_path(path, sizeof path, name);
	if (read_file(path, text, sizeof text) < 0)
		broken("%s: %s", path, strerror(errno));
	return atol(text);
}

static const char *ksm_probe(void)
{
	if (access("/sys/kernel/mm/ksm/run", F_OK) != 0)
		return "this kernel has no KSM";
	if (access("/sys/kernel/mm/ksm/run", W_OK) != 0)
		return because("KSM cannot be made to run (/sys/kernel/mm/ksm/run): %s", strerror(errno));
	if (!may_change_machine)
		return "KSM has to run, which only --system permits";
	return pagemap_probe();
}

static void ksm_begin(void)
{
	char path[100];
	for (int i = 0; i < KSM_SETTINGS; i++) {
		ksm_path(path, sizeof path, ksm_setting[i]);
		if (ksm_before[i][0] == 0 && read_file(path, ksm_before[i], sizeof ksm_before[i]) < 0)
			broken("%s: %s", path, strerror(errno));
	}
	ksm_set("pages_to_scan", "10000");
	ksm_set("sleep_millisecs", "0");
}

static void ksm_end(void)
{
	char path[100];
	for (int i = 0; i < KSM_SETTINGS; i++) {
		ksm_path(path, sizeof path, ksm_setting[i]);
		if (ksm_before[i][0] != 0)
			write_file(path, ksm_before[i]);
		ksm_before[i][0] = 0;
	}
}

static int are_one(int page, int other)
{
	long frame = frame_in(pagemap_of(page_at(page)));
	return frame > 0 && frame == frame_in(pagemap_of(page_at(other)));
}

/*
 * Has ksmd look at all mergeable memory three times: once to see that a page does not change, once to find its like,
 * and once more. The page that it comes to second, at the higher address, is the one that stays.
 */
PART void merge(int page, int other, int effect)
{
	unless_unmapped("madvise(MADV_MERGEABLE)", madvise(page_at(page), PAGE_BYTES, MADV_MERGEABLE));
	unless_unmapped("madvise(MADV_MERGEABLE)", madvise(page_at(other), PAGE_BYTES, MADV_MERGEABLE));
	int were = are_one(page, other);
	long scans = ksm_get("full_scans");
	move_begins();
	ksm_set("run", "1");
	while (ksm_get("full_scans") < scans + 4 && !are_one(page, other)) {
		if (atomic_load(&S->broken))
			bail_out();
		usleep(100);
	}
	ksm_set("run", "0");
	move_ends();
	if (!were && are_one(page, other)) {
		note_merged(page);
		note_merged(other);
	}
	S->effect[effect] = !were && are_one(page, other) ? DONE : STAYED;
}

/* Memory that was never said to be mergeable, or is not mapped, has nothing to be given back. */
PART void unmerge(int page)
{
	may_copy |= 1u << page;
	unless_unmapped("madvise(MADV_UNMERGEABLE)", madvise(page_at(page), PAGE_BYTES, MADV_UNMERGEABLE));
}

static const struct part ksm_part = { ksm_probe, ksm_begin, ksm_end };
