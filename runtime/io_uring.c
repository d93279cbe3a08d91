/* ---- io_uring: a registered buffer is pinned for writing, for long (FOLL_PIN, FOLL_LONGTERM) ---- */

#include <linux/io_uring.h>
#include <sys/uio.h>

static struct ring {
	int file, data[2];
	char *queue;
	size_t queue_bytes;
	struct io_uring_sqe *request;
	struct io_uring_params at;
	char *page;
} *ring_of; /* shared, since any process of the test may be the one that uses the reference */

/* Makes a ring; returns the error, or 0. */
static int ring_open(struct ring *ring)
{
	memset(ring, 0, sizeof *ring);
	ring->file = (int)syscall(SYS_io_uring_setup, 4, &ring->at);
	if (ring->file < 0)
		return errno;
	size_t requests = ring->at.sq_off.array + ring->at.sq_entries * sizeof(unsigned);
	size_t answers = ring->at.cq_off.cqes + ring->at.cq_entries * sizeof(struct io_uring_cqe);
	ring->queue_bytes = requests > answers ? requests : answers;
	ring->queue = mmap(NULL, ring->queue_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->file,
			   IORING_OFF_SQ_RING);
	ring->request = mmap(NULL, ring->at.sq_entries * sizeof *ring->request, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->file, IORING_OFF_SQES);
	if (ring->queue == MAP_FAILED || ring->request == MAP_FAILED)
		return errno;
	return pipe2(ring->data, O_CLOEXEC) == 0 ? 0 : errno;
}

static void ring_close(struct ring *ring)
{
	munmap(ring->queue, ring->queue_bytes);
	munmap(ring->request, ring->at.sq_entries * sizeof *ring->request);
	close(ring->data[0]);
	close(ring->data[1]);
	close(ring->file);
}

/* Has the kernel move one word between the registered buffer and the pipe, and waits for it. */
static void ring_move(struct ring *ring, int operation, int word)
{
	unsigned *tail = (unsigned *)(ring->queue + ring->at.sq_off.tail);
	unsigned *array = (unsigned *)(ring->queue + ring->at.sq_off.array);
	unsigned *head = (unsigned *)(ring->queue + ring->at.cq_off.head);
	unsigned slot = *tail & (ring->at.sq_entries - 1);
	struct io_uring_sqe *request = &ring->request[slot];
	memset(request, 0, sizeof *request);
	request->opcode = (unsigned char)operation;
	request->fd = operation == IORING_OP_READ_FIXED ? ring->data[0] : ring->data[1];
	request->addr = (uintptr_t)ring->page + FIRST_WORD + 8 * (unsigned)word;
	request->len = 8;
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->file, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		broken("io_uring_enter: %s", strerror(errno));
	struct io_uring_cqe *answers = (struct io_uring_cqe *)(ring->queue + ring->at.cq_off.cqes);
	int done = answers[*head & (ring->at.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (done != 8)
		broken("a fixed buffer of io_uring: %s", done < 0 ? strerror(-done) : "less than a word");
}

static void io_uring_prepare(int ref)
{
	if (ring_of == NULL)
		ring_of = mmap(NULL, MOST_REFERENCES * sizeof *ring_of, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int error = ring_of == MAP_FAILED ? errno : ring_open(&ring_of[ref]);
	if (error != 0)
		broken("io_uring: %s", strerror(error));
}

static int io_uring_take(int ref, char *page)
{
	struct iovec whole = { page, PAGE_BYTES };
	ring_of[ref].page = page;
	if (syscall(SYS_io_uring_register, ring_of[ref].file, IORING_REGISTER_BUFFERS, &whole, 1) == 0)
		return 1;
	if (errno == EFAULT)
		return 0;
	broken("io_uring_register: %s", strerror(errno));
}

static long io_uring_load(int ref, int word)
{
	long value;
	ring_move(&ring_of[ref], IORING_OP_WRITE_FIXED, word);
	if (read(ring_of[ref].data[0], &value, sizeof value) != sizeof value)
		broken("read: %s", strerror(errno));
	return value;
}

static void io_uring_store(int ref, int word, long value)
{
	if (write(ring_of[ref].data[1], &value, sizeof value) != sizeof value)
		broken("write: %s", strerror(errno));
	ring_move(&ring_of[ref], IORING_OP_READ_FIXED, word);
}

static void io_uring_release(int ref)
{
	if (syscall(SYS_io_uring_register, ring_of[ref].file, IORING_UNREGISTER_BUFFERS, NULL, 0) != 0)
		broken("io_uring_register: %s", strerror(errno));
}

static void io_uring_discard(int ref)
{
	ring_close(&ring_of[ref]);
}

static const struct way by_io_uring = {
	.name = "io_uring",
	.prepare = io_uring_prepare,
	.take = io_uring_take,
	.load = io_uring_load,
	.store = io_uring_store,
	.release = io_uring_release,
	.discard = io_uring_discard,
};

static const char *io_uring_probe(void)
{
	struct ring ring;
	int error = ring_open(&ring);
	if (error == ENOSYS)
		return "this kernel has no io_uring";
	if (error == EPERM)
		return "io_uring is forbidden here (kernel.io_uring_disabled)";
	if (error != 0)
		return because("io_uring: %s", strerror(error));
	/* A buffer counts as locked memory. */
	char *page = anonymous_page();
	struct iovec whole = { page, PAGE_BYTES };
	if (syscall(SYS_io_uring_register, ring.file, IORING_REGISTER_BUFFERS, &whole, 1) != 0)
		error = errno;
	ring_close(&ring);
	munmap(page, PAGE_BYTES);
	return error == 0 ? NULL : because("io_uring takes no buffer: %s", strerror(error));
}

static const struct part io_uring_part = { .probe = io_uring_probe };
