/* ---- Soft-dirty ---- */

enum { SOFT_DIRTY_BIT = 55 };

static const char *soft_dirty_probe(void)
{
	const char *why = pagemap_probe();
	if (why != NULL)
		return why;
	char *page = anonymous_page();
	*(volatile char *)page = 1;
	int known = (int)(pagemap_of(page) >> SOFT_DIRTY_BIT & 1);
	munmap(page, PAGE_BYTES);
	if (!known)
		return "this kernel does not track soft-dirty pages";
	return access("/proc/self/clear_refs", W_OK) == 0 ? NULL : "/proc/self/clear_refs cannot be written";
}

PART void clear_refs(void)
{
	if (write_file("/proc/self/clear_refs", "4") != 0)
		broken("/proc/self/clear_refs: %s", strerror(errno));
}

static const struct part soft_dirty_part = { .probe = soft_dirty_probe };
