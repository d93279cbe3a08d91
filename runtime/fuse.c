/*
 * ---- Direct I/O that a FUSE file answers when it is told to: a reference for writing, by the lockless walk ----
 *
 * read(2) with O_DIRECT gives the kernel a reference for writing to the page until the file system has answered,
 * and its answer is what "the device" writes; write(2) gives one for reading, and the file system reads the page when it
 * takes the request. Kernels to 6.1 take FOLL_GET here, those from 6.12 on FOLL_PIN. A request can be used once.
 * So all that the test will need are submitted when the reference is taken, each to a file system of its own, and
 * this program serves them all. It lives in a mount namespace of its own, so nothing is left mounted.
 */

#include <linux/aio_abi.h>
#include <linux/fuse.h>
#include <sys/mount.h>

enum { FUSE_BUFFER = 65536, FILE_BYTES = 1 << 20 };

struct request {
	int server, file; /* /dev/fuse, and the one file that this file system has */
	char path[60];
	int word, writes;
	int used; /* within a run */
};

static struct request (*request_of)[MOST_USES]; /* shared, since any process may be the one that answers */
static int requests_made[MOST_REFERENCES];
static int fuse_ready, fuse_folder; /* whether it was begun, and whether /tmp is a file system of this program's */

static int requests(int ref)
{
	int sum = 0;
	for (int w = 0; w < MOST_WORDS; w++)
		sum += T->reference[ref].loads[w] + T->reference[ref].stores[w];
	return sum;
}

static void fuse_answer(int server, uint64_t unique, int error, const void *data, size_t length)
{
	char bytes[sizeof(struct fuse_out_header) + 200];
	struct fuse_out_header header = { (uint32_t)(sizeof header + length), -error, unique };
	memcpy(bytes, &header, sizeof header);
	memcpy(bytes + sizeof header, data, length);
	if (write(server, bytes, sizeof header + length) < 0 && errno != ENOENT)
		broken("/dev/fuse: %s", strerror(errno));
}

/* Takes the next request, answers it unless it is to read or to write, and returns what it was. */
static uint32_t fuse_serve(int server, char *buffer)
{
	struct fuse_in_header *in = (struct fuse_in_header *)buffer;
	if (read(server, buffer, FUSE_BUFFER) < (ssize_t)sizeof *in)
		broken("/dev/fuse: %s", strerror(errno));
	if (in->opcode == FUSE_INIT) {
		const struct fuse_init_in *wish = (const void *)(in + 1);
		struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_background = 16 };
		out.flags = wish->flags & FUSE_ASYNC_DIO;
		out.max_write = PAGE_BYTES;
		fuse_answer(server, in->unique, 0, &out, sizeof out);
	} else if (in->opcode == FUSE_GETATTR) {
		struct fuse_attr_out out = { .attr_valid = 1 << 30 };
		out.attr = (struct fuse_attr){ .ino = 1, .size = FILE_BYTES, .mode = S_IFREG | 0600, .nlink = 1 };
		out.attr.blksize = PAGE_BYTES;
		fuse_answer(server, in->unique, 0, &out, sizeof out);
	} else if (in->opcode == FUSE_OPEN) {
		struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };
		fuse_answer(server, in->unique, 0, &out, sizeof out);
	} else if (in->opcode != FUSE_READ && in->opcode != FUSE_WRITE && in->opcode != FUSE_INTERRUPT &&
		   in->opcode != FUSE_FORGET) {
		fuse_answer(server, in->unique, ENOSYS, "", 0);
	}
	return in->opcode;
}

/* A mount namespace of this process's own, with an empty folder in it; returns why there can be none, or NULL. */
static const char *fuse_make_folder(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		return because("this user may have no mount namespace: %s", strerror(errno));
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("cowherd", "/tmp", "tmpfs", 0, "size=1M") != 0)
		return because("nothing can be mounted on /tmp: %s", strerror(errno));
	fuse_folder = 1;
	return NULL;
}

/* Mounts a file system of one file; returns why not, or NULL. */
static const char *fuse_mount(struct request *request)
{
	char options[100];
	int point = open(request->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (point < 0)
		return because("%s: %s", request->path, strerror(errno));
	close(point);
	request->server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (request->server < 0)
		return because("/dev/fuse: %s", strerror(errno));
	snprintf(options, sizeof options, "fd=%d,rootmode=100000,user_id=%d,group_id=%d", request->server,
		 (int)getuid(), (int)getgid());
	if (mount("cowherd", request->path, "fuse", MS_NOSUID | MS_NODEV, options) != 0)
		return because("a FUSE file system cannot be mounted: %s", strerror(errno));
	return NULL;
}

/* Opens that file; returns why not, or NULL. */
static const char *fuse_open(struct request *request)
{
	static char buffer[FUSE_BUFFER];
	struct stat status;
	/* Opening, asking for the size and closing wait for answers, which a process of its own gives. */
	pid_t parent = getpid(), server = fork();
	if (server < 0)
		return because("fork: %s", strerror(errno));
	if (server == 0) {
		end_with(parent);
		while (fuse_serve(request->server, buffer) != FUSE_FLUSH)
			;
		_exit(0);
	}
	request->file = open(request->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (request->file < 0 || fstat(request->file, &status) != 0)
		return because("%s: %s", request->path, strerror(errno));
	close(dup(request->file)); /* from now on, closing asks nobody */
	waitpid(server, NULL, 0);
	return NULL;
}

static void fuse_make(int ref, int number, int word, int writes)
{
	struct request *request = &request_of[ref][number];
	snprintf(request->path, sizeof request->path, "/tmp/%d-%d", ref, number);
	request->word = word;
	request->writes = writes;
	request->server = request->file = -1;
	requests_made[ref] = number + 1;
	const char *why = fuse_mount(request);
	if (why == NULL)
		why = fuse_open(request);
	if (why != NULL)
		broken("%s", why);
}

static void fuse_begin(void)
{
	if (fuse_ready)
		return;
	fuse_ready = 1;
	memset(requests_made, 0, sizeof requests_made);
	request_of = mmap(NULL, MOST_REFERENCES * sizeof *request_of, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (request_of == MAP_FAILED)
		broken("no memory: %s", strerror(errno));
	const char *why = fuse_make_folder();
	if (why != NULL)
		broken("%s", why);
	for (int r = 0; r < T->references; r++) {
		if (strcmp(T->reference[r].way->name, "fuse") != 0)
			continue;
		int number = 0;
		/* Those that write come first: they break copy-on-write, and then the others get the same page. */
		for (int writes = 1; writes >= 0; writes--)
			for (int w = 0; w < MOST_WORDS; w++)
				for (int i = 0; i < (writes ? T->reference[r].stores : T->reference[r].loads)[w]; i++)
					fuse_make(r, number++, w, writes);
	}
}

static void fuse_abort(int ref)
{
	for (int i = 0; i < requests_made[ref]; i++)
		umount2(request_of[ref][i].path, MNT_FORCE);
}

static void fuse_end(void)
{
	if (!fuse_ready)
		return;
	fuse_ready = 0;
	/* It may not have come to all of them. */
	for (int r = 0; r < T->references; r++) {
		fuse_abort(r);
		for (int i = 0; i < requests_made[r]; i++) {
			close(request_of[r][i].file);
			umount2(request_of[r][i].path, MNT_DETACH);
			close(request_of[r][i].server);
		}
	}
	if (fuse_folder)
		umount2("/tmp", MNT_DETACH);
	fuse_folder = 0;
}

static void fuse_prepare(int ref)
{
	for (int i = 0; i < requests(ref); i++)
		request_of[ref][i].used = 0;
}

/* Ends a request; one that writes into the page then writes this value, if it is given one. */
static long fuse_finish(struct request *request, const long *value)
{
	char buffer[FUSE_BUFFER];
	const struct fuse_in_header *in = (const void *)buffer;
	uint32_t kind;
	long held = 0;
	do
		kind = fuse_serve(request->server, buffer);
	while (kind != FUSE_READ && kind != FUSE_WRITE);
	request->used = 1;
	if (kind == FUSE_WRITE) {
		struct fuse_write_out out = { .size = sizeof held };
		memcpy(&held, buffer + sizeof *in + sizeof(struct fuse_write_in), sizeof held);
		fuse_answer(request->server, in->unique, 0, &out, sizeof out);
	} else if (value != NULL) {
		fuse_answer(request->server, in->unique, 0, value, sizeof *value);
	} else {
		fuse_answer(request->server, in->unique, EIO, "", 0);
	}
	return held;
}

static void fuse_release(int ref)
{
	for (int i = 0; i < requests(ref); i++)
		if (!request_of[ref][i].used)
			fuse_finish(&request_of[ref][i], NULL);
}

static int fuse_take(int ref, char *page)
{
	aio_context_t context = 0;
	struct io_event event;
	struct timespec now = { 0, 0 };
	if (syscall(SYS_io_setup, MOST_USES, &context) != 0)
		broken("io_setup: %s", strerror(errno));
	for (int i = 0; i < requests(ref); i++) {
		struct request *request = &request_of[ref][i];
		struct iocb order = {
			.aio_lio_opcode = request->writes ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
			.aio_fildes = (uint32_t)request->file,
			.aio_buf = (uintptr_t)page + FIRST_WORD + 8 * (unsigned)request->word,
			.aio_nbytes = sizeof(long),
		};
		struct iocb *orders[] = { &order };
		if (syscall(SYS_io_submit, context, 1, orders) != 1)
			broken("io_submit: %s", strerror(errno));
		if (syscall(SYS_io_getevents, context, 0, 1, &event, &now) == 0)
			continue;
		if (event.res != -EFAULT)
			broken("direct I/O ended at once: %s", strerror((int)-event.res));
		/* This one and those after it were never begun. */
		for (int j = i; j < requests(ref); j++)
			request_of[ref][j].used = 1;
		fuse_release(ref);
		return 0;
	}
	return 1;
}

static struct request *unused_request(int ref, int word, int writes)
{
	for (int i = 0; i < requests(ref); i++) {
		struct request *request = &request_of[ref][i];
		if (!request->used && request->word == word && request->writes == writes)
			return request;
	}
	broken("no direct I/O is left");
}

static long fuse_load(int ref, int word)
{
	return fuse_finish(unused_request(ref, word, 0), NULL);
}

static void fuse_store(int ref, int word, long value)
{
	fuse_finish(unused_request(ref, word, 1), &value);
}

static void fuse_discard(int ref)
{
	(void)ref;
}

static const struct way by_fuse = {
	.name = "fuse",
	.prepare = fuse_prepare,
	.take = fuse_take,
	.load = fuse_load,
	.store = fuse_store,
	.release = fuse_release,
	.give_up = fuse_abort,
	.discard = fuse_discard,
};

/* Tries it; being root is not enough, and need not be. */
static const char *fuse_try(void)
{
	struct request request = { .path = "/tmp/try" };
	aio_context_t context = 0;
	if (syscall(SYS_io_setup, MOST_USES, &context) != 0)
		return because("io_setup: %s", strerror(errno));
	const char *why = fuse_make_folder();
	return why != NULL ? why : fuse_mount(&request);
}

static const char *fuse_probe(void)
{
	if (access("/dev/fuse", R_OK | W_OK) != 0)
		return "this machine has no /dev/fuse, or not for this user";
	return elsewhere(fuse_try);
}

static const struct part fuse_part = { fuse_probe, fuse_begin, fuse_end };
