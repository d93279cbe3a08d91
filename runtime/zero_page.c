/* ---- The zero page: reading memory that was never written maps it, except on some kernels ---- */

enum { MAPPED_ONCE_BIT = 56 }; /* of a page of one's own, and never of the zero page */

static const char *zero_page_probe(void)
{
	char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return "no memory";
	madvise(page, PAGE_BYTES, MADV_NOHUGEPAGE);
	(void)*(volatile char *)page;
	int own = (int)(pagemap_of(page) >> MAPPED_ONCE_BIT & 1);
	munmap(page, PAGE_BYTES);
	return own ? "this kernel gives memory that is only read pages of its own, and not the zero page" : NULL;
}

static const struct part zero_page_part = { .probe = zero_page_probe };
