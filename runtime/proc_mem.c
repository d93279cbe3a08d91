/*
 * ---- /proc/self/mem: a reference (FOLL_GET), by the slow walk, that is taken, used and given back by one call ----
 *
 * The kernel may add FOLL_FORCE, which does not respect protection; so this is used only for memory that has none.
 */

#define MEM_FILE "/proc/self/mem"

static int mem_open(void)
{
	int file = open(MEM_FILE, O_RDWR | O_CLOEXEC);
	if (file < 0)
		broken(MEM_FILE ": %s", strerror(errno));
	return file;
}

static off_t mem_offset(int ref, int word)
{
	return (off_t)(uintptr_t)word_at(T->reference[ref].page, word);
}

static void proc_mem_nothing(int ref)
{
	(void)ref;
}

static int proc_mem_take(int ref, char *page)
{
	(void)ref;
	(void)page;
	return 1;
}

static long proc_mem_load(int ref, int word)
{
	long value;
	int file = mem_open();
	may_copy |= 1u << T->reference[ref].page;
	long done = pread(file, &value, sizeof value, mem_offset(ref, word));
	if (done != sizeof value && errno != EIO)
		broken("/proc/self/mem: %s", strerror(errno));
	close(file);
	return done == sizeof value ? value : SEGV;
}

/* Memory that is not there is not stored to, as through a reference that could not be taken. */
static void proc_mem_store(int ref, int word, long value)
{
	int file = mem_open();
	may_copy |= 1u << T->reference[ref].page;
	if (pwrite(file, &value, sizeof value, mem_offset(ref, word)) != sizeof value && errno != EIO)
		broken("/proc/self/mem: %s", strerror(errno));
	close(file);
}

static const struct way by_proc_mem = {
	.name = "/proc/self/mem",
	.prepare = proc_mem_nothing,
	.take = proc_mem_take,
	.load = proc_mem_load,
	.store = proc_mem_store,
	.release = proc_mem_nothing,
	.discard = proc_mem_nothing,
};

static const char *proc_mem_probe(void)
{
	long from = 1, to = 0;
	int file = open(MEM_FILE, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return because(MEM_FILE ": %s", strerror(errno));
	long done = pread(file, &to, sizeof to, (off_t)(uintptr_t)&from);
	if (done == sizeof to)
		done = pwrite(file, &to, sizeof to, (off_t)(uintptr_t)&from);
	int error = errno;
	close(file);
	errno = error;
	return done == sizeof to ? NULL : because(MEM_FILE " cannot be used: %s", strerror(errno));
}

static const struct part proc_mem_part = { .probe = proc_mem_probe };
