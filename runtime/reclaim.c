static char group[300];

/* Where the second version of control groups is mounted; 0 if nowhere. */
static int find_groups(char *path, size_t room)
{
	static char text[65536];
	if (read_file("/proc/self/mounts", text, sizeof text) < 0)
		return 0;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char at[200], type[50];
		if (sscanf(line, "%*s %199s %49s", at, type) == 2 && strcmp(type, "cgroup2") == 0) {
			snprintf(path, room, "%s", at);
			return 1;
		}
	}
	return 0;
}

static const char *reclaim_probe(void)
{
	char path[250], file[300], text[1000];
	if (swap_probe() != NULL)
		return swap_probe();
	if (!may_change_machine)
		return "a control group of its own is needed, which only --system permits";
	if (!find_groups(path, sizeof path))
		return "no cgroup2 file system is mounted";
	snprintf(file, sizeof file, "%s/cgroup.subtree_control", path);
	if (read_file(file, text, sizeof text) < 0 || strstr(text, "memory") == NULL)
		return because("the memory controller is not in %s", file);
	snprintf(file, sizeof file, "%s/cowherd-try-%d", path, (int)getpid());
	if (mkdir(file, 0700) != 0)
		return because("%s: %s", file, strerror(errno));
	rmdir(file);
	return NULL;
}

static void reclaim_begin(void)
{
	char path[250];
	if (find_groups(path, sizeof path))
		snprintf(group, sizeof group, "%s/cowherd-%d", path, (int)getpid());
	if (mkdir(group, 0700) != 0 && errno != EEXIST)
		broken("%s: %s", group, strerror(errno));
}

static void reclaim_end(void)
{
	for (int i = 0; group[0] != 0 && i < 1000 && rmdir(group) != 0 && errno == EBUSY; i++)
		usleep(1000);
	group[0] = 0;
}

static void group_write(const char *name, const char *text, int may_fail)
{
	char file[350];
	snprintf(file, sizeof file, "%s/%s", group, name);
	if (write_file(file, text) != 0 && !may_fail)
		broken("%s: %s", file, strerror(errno));
}

/* The processes of the test are in a group of their own, so that reclaim takes only their memory. */
static void join_group(void)
{
	if (group[0] != 0)
		group_write("cgroup.procs", "0", 0);
}

/* Has so much of the group's memory reclaimed, or as much as there is. */
static void reclaim_bytes(long bytes)
{
	char text[50];
	snprintf(text, sizeof text, "%ld", bytes);
	group_write("memory.reclaim", text, 1); /* less than that is no failure of ours */
}

/* The same before v5.19. Members of the group are put to sleep if they do it (mem_cgroup_handle_over_high). */
static void lower_limit(long bytes)
{
	char file[350], text[50];
	snprintf(file, sizeof file, "%s/memory.current", group);
	if (read_file(file, text, sizeof text) < 0)
		broken("%s: %s", file, strerror(errno));
	long rest = atol(text) - bytes;
	snprintf(text, sizeof text, "%ld", rest < 0 ? 0 : rest);
	group_write("memory.high", text, 1);
	group_write("memory.high", "max", 0);
}

/*
 * The kernel chooses what it takes first, and spares once or twice what was used of late: so it is asked for more and
 * more, and again.
 */
static void ask_for(int page, void (*take)(long bytes))
{
	enum { ROUNDS = 24, MOST = 512 * PAGE_BYTES };
	long bytes = 8 * PAGE_BYTES;
	for (int i = 0; i < ROUNDS && is_present(page); i++) {
		take(bytes);
		bytes = bytes < MOST ? 4 * bytes : MOST;
	}
}

PART void reclaim(int page, int effect)
{
	char file[350];
	int was = is_present(page);
	snprintf(file, sizeof file, "%s/memory.reclaim", group);
	move_begins();
	if (access(file, W_OK) == 0) {
		ask_for(page, reclaim_bytes);
	} else {
		group_write("../cgroup.procs", "0", 0);
		ask_for(page, lower_limit);
		join_group();
	}
	move_ends();
	S->effect[effect] = was && !is_present(page) ? DONE : STAYED;
}

static const struct part reclaim_part = { reclaim_probe, reclaim_begin, reclaim_end };
