/* ---- The zero page: reading memory that was never written maps it, except on some kernels ---- */

static const char *zero_page_probe(void)
{
	const char *why = pagemap_probe();
	if (why != NULL)
		return why;
	char *page = anonymous_page();
	(void)*(volatile char *)page;
	int own = (int)(pagemap_of(page) >> MAPPED_ONCE_BIT & 1);
	munmap(page, PAGE_BYTES);
	return own ? "this kernel gives memory that is only read pages of its own, and not the zero page" : NULL;
}

static const struct part zero_page_part = { .probe = zero_page_probe };
