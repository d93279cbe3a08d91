/*
 * The first and only program of a virtual machine: makes ready what tests need, runs them, and switches off.
 *
 * The kernel's messages go to the first serial line; what the tests print goes to the second. The words with which
 * to call /test stand in /words, one a line.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void say(const char *what, const char *which)
{
	printf("Note %s %s: %s\n", what, which, strerror(errno));
	fflush(stdout);
}

static void mount_on(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) != 0)
		say("mount", where);
}

static void write_to(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		say("write", path);
	close(file);
}

/* A second serial line that carries what it is given, as it is. */
static void speak(void)
{
	struct termios line;
	int file = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	if (file < 0)
		return;
	if (tcgetattr(file, &line) == 0) {
		cfmakeraw(&line);
		tcsetattr(file, TCSANOW, &line);
	}
	dup2(file, 1);
	dup2(file, 2);
	printf("Ready\n");
	fflush(stdout);
}

static void load_modules(void)
{
	DIR *folder = opendir("/modules");
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		char path[300];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/modules/%s", entry->d_name);
		int file = open(path, O_RDONLY | O_CLOEXEC);
		const char *options = strncmp(entry->d_name, "brd", 3) == 0 ? "rd_nr=1 rd_size=65536" : "";
		if (syscall(SYS_finit_module, file, options, 0) != 0 && errno != EEXIST)
			say("module", entry->d_name);
		close(file);
	}
}

/* A RAM disk as swap. */
static void make_swap(void)
{
	static unsigned char header[PAGE];
	unsigned first[2] = { 1, 65536 / 4 - 1 }; /* the version, and the number of the last page */
	memcpy(header + 1024, first, sizeof first);
	memcpy(header + PAGE - 10, "SWAPSPACE2", 10);
	int file = open("/dev/ram0", O_RDWR | O_CLOEXEC);
	if (file < 0 || write(file, header, PAGE) != PAGE || fsync(file) != 0 || swapon("/dev/ram0", 0) != 0)
		say("swap on", "/dev/ram0");
	close(file);
}

/* All of /words as one text; NULL if it cannot be read. */
static char *read_words(void)
{
	char *text = NULL;
	size_t length = 0, room = 0;
	long more = 1;
	int file = open("/words", O_RDONLY | O_CLOEXEC);
	while (more > 0) {
		if (length + 1 >= room)
			text = realloc(text, room = 2 * room + PAGE);
		more = text == NULL ? -1 : read(file, text + length, room - 1 - length);
		length += more > 0 ? (size_t)more : 0;
	}
	close(file);
	if (more < 0)
		return NULL;
	text[length] = 0;
	return text;
}

static void run_tests(void)
{
	int count = 0, most = 1, status = 0;
	char *text = read_words();
	for (const char *at = text; at != NULL && *at != 0; at++)
		most += *at == '\n';
	char **words = calloc((size_t)most + 2, sizeof *words);
	if (text == NULL || words == NULL) {
		say("read", "/words");
		return;
	}
	words[count++] = "/test";
	for (char *word = strtok(text, "\n"); word != NULL; word = strtok(NULL, "\n"))
		words[count++] = word;
	pid_t child = fork();
	if (child == 0) {
		execv(words[0], words);
		say("run", words[0]);
		_exit(2);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	printf("End %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	fflush(stdout);
}

int main(void)
{
	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("devtmpfs", "/dev");
	speak();
	mount_on("tmpfs", "/tmp");
	mount_on("cgroup2", "/sys/fs/cgroup");
	/* The kernel has the folder where it has the file system. */
	if (access("/sys/kernel/debug", F_OK) == 0)
		mount_on("debugfs", "/sys/kernel/debug");
	write_to("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	load_modules();
	make_swap();
	run_tests();
	tcdrain(1);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
