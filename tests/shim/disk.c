/* Stands between a server and the disk, for tests that lose power and for tests in which the disk fails. Preloaded into
 * the server (LD_PRELOAD). ACCORD_DISK names the data folder.
 *
 * Records what the server writes to the files of its store and when it syncs them, in the file ACCORD_RECORD. Each event
 * of the record is a kind, the length of a path (u16) and the path in the data folder, and then: 'W' offset:u64
 * length:u64 bytes, 'T' length:u64 (truncate), 'R' length:u16 path (rename to this path), 'U' nothing (removed),
 * 'S' nothing (a sync has returned), 'F' nothing (a sync has failed). All integers are in the machine's byte order.
 *
 * Fails calls as ACCORD_FAULT says, which is a kind and two numbers, "KIND FIRST COUNT". Calls on the store are counted in
 * three classes: changes and syncs of files, reads of files, and syncs of folders. The calls of each class are numbered from
 * 1, over all processes that share the file ACCORD_CALLS, which has the number of calls that failed and that of the calls of
 * each class (four u64). From FIRST on, COUNT calls fail. Of changes and syncs of files, the calls fail with EIO (`eio`), with
 * ENOSPC if they need space (`full`), or with the end of the process (`kill` before the call, `torn` in the middle of a
 * write). Reads of files (`read`) and syncs of folders (`folder`) fail with EIO. A page that a process has read or written
 * counts as cached by the system: another read of it is not counted, and does not fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

/* Returns the part of a path behind the data folder, or NULL if the path is not one of the store. */
static const char *of_store(const char *path) {
  const char *data = getenv("ACCORD_DISK");
  size_t length = data ? strlen(data) : 0;
  if (!length || strncmp(path, data, length) != 0 || path[length] != '/') return NULL;
  path += length + 1;
  int is = strncmp(path, "store/db", 8) == 0 || strncmp(path, "log/", 4) == 0 ||
           strncmp(path, "witness", 7) == 0 || strcmp(path, "noted") == 0 ||
           strcmp(path, "unsynced") == 0;
  return is ? path : NULL;
}

/* Writes the path of an open file to `buffer`. Returns NULL if the file has none. */
static const char *path_of(int fd, char *buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, buffer, size - 1);
  if (n < 0) return NULL;
  buffer[n] = 0;
  return buffer;
}

/* Like of_store, for an open file. The path is written to `buffer`. */
static const char *of_file(int fd, char *buffer, size_t size) {
  const char *path = path_of(fd, buffer, size);
  return path ? of_store(path) : NULL;
}

/* Whether an open file is the data folder or a folder of the store. */
static int is_folder(int fd) {
  char buffer[4096];
  const char *path = path_of(fd, buffer, sizeof buffer), *data = getenv("ACCORD_DISK");
  size_t length = data ? strlen(data) : 0;
  if (!path || !length || strncmp(path, data, length) != 0) return 0;
  path += length;
  return strcmp(path, "") == 0 || strcmp(path, "/store") == 0 || strcmp(path, "/log") == 0;
}

static void record(char kind, const char *path, const void *head, size_t head_length,
                   const void *bytes, size_t length) {
  if (!getenv("ACCORD_RECORD")) return;
  uint16_t path_length = (uint16_t)strlen(path);
  pthread_mutex_lock(&lock);
  if (out < 0) out = open(getenv("ACCORD_RECORD"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  struct iovec parts[5] = {{&kind, 1},
                           {&path_length, sizeof path_length},
                           {(void *)path, path_length},
                           {(void *)head, head_length},
                           {(void *)bytes, length}};
  if (writev(out, parts, 5) < 0) abort();
  pthread_mutex_unlock(&lock);
}

static int is_counted(void) { return getenv("ACCORD_CALLS") != NULL; }

enum { PAGE = 4096, MAX_PAGES = 1 << 20 };

/* Whether a page, given by the number of its file and its place in the file, is in memory: this process has read or written
 * it. If `bring_in` is set, it is in memory from now on. */
static int is_in_memory(uint64_t file, uint64_t place, int bring_in) {
  static uint64_t pages[MAX_PAGES];
  uint64_t page = file << 24 | place;
  for (uint64_t at = page * 0x9E3779B97F4A7C15u >> 44, n = 0; n < MAX_PAGES; n++) {
    uint64_t *found = pages + (at + n) % MAX_PAGES;
    if (*found == page) return 1;
    if (!*found) {
      if (bring_in) *found = page;
      return 0;
    }
  }
  abort();
}

/* Whether all these pages of a file are in memory. If `bring_in` is set, they are from now on. */
static int are_in_memory(int fd, off64_t offset, size_t length, int bring_in) {
  struct stat64 file;
  if (fstat64(fd, &file) != 0 || offset >= file.st_size) return 1;
  off64_t end = offset + (off64_t)length;
  if (end > file.st_size) end = file.st_size;
  int all = 1;
  pthread_mutex_lock(&lock);
  for (off64_t page = offset / PAGE; page * PAGE < end; page++)
    all &= is_in_memory(file.st_ino, (uint64_t)page, bring_in);
  pthread_mutex_unlock(&lock);
  return all;
}

static void written(int fd, const void *bytes, size_t length, off64_t offset) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  uint64_t numbers[2] = {(uint64_t)offset, (uint64_t)length};
  if (path) record('W', path, numbers, sizeof numbers, bytes, length);
  if (path && is_counted()) are_in_memory(fd, offset, length, 1);
}

static void truncated(const char *path, uint64_t length) {
  record('T', path, &length, sizeof length, NULL, 0);
}

static void synced(int fd, char kind) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  if (path) record(kind, path, NULL, 0, NULL, 0);
}

/* The classes of calls, by their place in the file ACCORD_CALLS, behind the number of calls that failed. */
enum class { WRITE = 1, READ = 2, FOLDER = 3, COUNTERS = 4 };

/* The numbers of calls so far, shared with other processes, or NULL if calls are not counted. */
static uint64_t *counters(void) {
  static uint64_t *calls;
  pthread_mutex_lock(&lock);
  const char *path = getenv("ACCORD_CALLS");
  if (!calls && path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *shared =
        mmap(NULL, COUNTERS * sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || shared == MAP_FAILED) abort();
    calls = shared;
  }
  pthread_mutex_unlock(&lock);
  return calls;
}

enum need { SPACE, NO_SPACE };

/* Counts a call of a class. Returns whether the fault of this process hits it. The kind of the fault is written to `kind`. */
static int is_hit(enum class class, char kind[8]) {
  uint64_t *calls = counters();
  if (!calls) return 0;
  uint64_t number = __atomic_add_fetch(calls + class, 1, __ATOMIC_SEQ_CST), first = 0, count = 0;
  const char *fault = getenv("ACCORD_FAULT");
  if (!fault || sscanf(fault, "%7s %lu %lu", kind, &first, &count) != 3) return 0;
  enum class wanted = strcmp(kind, "read") == 0 ? READ : strcmp(kind, "folder") == 0 ? FOLDER : WRITE;
  return wanted == class && number >= first && number - first < count;
}

static void count_failed(void) { __atomic_add_fetch(counters(), 1, __ATOMIC_SEQ_CST); }

/* Like is_hit, for a call that fails with EIO if it is hit. */
static int fails_with_eio(enum class class) {
  char kind[8] = "";
  if (!is_hit(class, kind)) return 0;
  count_failed();
  errno = EIO;
  return 1;
}

/* Counts a change or a sync of a file of the store. Returns whether the call must fail, with errno set. `tear` is set if half
 * of the call is to be done, and then the process must end. */
static int fails(const char *path, enum need need, int *tear) {
  char kind[8] = "";
  if (!path || !is_hit(WRITE, kind)) return 0;
  if (strcmp(kind, "full") == 0 && need == NO_SPACE) return 0;
  count_failed();
  if (strcmp(kind, "torn") == 0 && tear) {
    *tear = 1;
    return 0;
  }
  if (strcmp(kind, "kill") == 0 || strcmp(kind, "torn") == 0) raise(SIGKILL);
  errno = strcmp(kind, "full") == 0 ? ENOSPC : EIO;
  return 1;
}

static int fails_file(int fd, enum need need, int *tear) {
  char buffer[4096];
  return fails(of_file(fd, buffer, sizeof buffer), need, tear);
}

/* Whether a read must fail, with errno set. */
static int read_fails(int fd, off64_t offset, size_t length) {
  char buffer[4096];
  if (!of_file(fd, buffer, sizeof buffer) || are_in_memory(fd, offset, length, 0)) return 0;
  if (fails_with_eio(READ)) return 1;
  are_in_memory(fd, offset, length, 1);
  return 0;
}

/* The part of a write that is done when it is torn: whole sectors. */
static size_t half(size_t length) { return length / 2 / 512 * 512; }

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int open64(const char *path, int flags, ...) {
  REAL(open64);
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  if (flags & O_CREAT && fails(of_store(path), SPACE, NULL)) return -1;
  int fd = real(path, flags, mode);
  const char *found = fd >= 0 && (flags & O_TRUNC) ? of_store(path) : NULL;
  if (found) truncated(found, 0);
  return fd;
}

ssize_t read(int fd, void *bytes, size_t length) {
  REAL(read);
  off64_t offset = is_counted() ? lseek64(fd, 0, SEEK_CUR) : -1;
  if (offset >= 0 && read_fails(fd, offset, length)) return -1;
  return real(fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset) {
  REAL(pread64);
  return is_counted() && read_fails(fd, offset, length) ? -1 : real(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  int tear = 0;
  if (fails_file(fd, SPACE, &tear)) return -1;
  if (tear) length = half(length);
  ssize_t done = real(fd, bytes, length);
  if (done > 0) {
    off64_t end = lseek64(fd, 0, SEEK_CUR);
    if (end >= done) written(fd, bytes, (size_t)done, end - done);
  }
  if (tear) raise(SIGKILL);
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  int tear = 0;
  if (fails_file(fd, SPACE, &tear)) return -1;
  if (tear) length = half(length);
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) written(fd, bytes, (size_t)done, offset);
  if (tear) raise(SIGKILL);
  return done;
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  if (fails_file(fd, SPACE, NULL)) return -1;
  int result = real(fd, length);
  char buffer[4096];
  const char *path = result == 0 ? of_file(fd, buffer, sizeof buffer) : NULL;
  if (path) truncated(path, (uint64_t)length);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(rename);
  const char *old = of_store(from), *new = of_store(to);
  if (fails(old, SPACE, NULL)) return -1;
  int result = real(from, to);
  if (result == 0 && old && new) {
    uint16_t length = (uint16_t)strlen(new);
    record('R', old, &length, sizeof length, new, length);
  }
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  if (fails(of_store(path), NO_SPACE, NULL)) return -1;
  int result = real(path);
  const char *found = result == 0 ? of_store(path) : NULL;
  if (found) record('U', found, NULL, 0, NULL, 0);
  return result;
}

/* Syncs a file or a folder with `real`, or fails. */
static int sync_file(int fd, int (*real)(int)) {
  if (is_folder(fd)) return fails_with_eio(FOLDER) ? -1 : real(fd);
  if (fails_file(fd, NO_SPACE, NULL)) {
    synced(fd, 'F');
    errno = EIO;
    return -1;
  }
  int result = real(fd);
  if (result == 0) synced(fd, 'S');
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  return sync_file(fd, real);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return sync_file(fd, real);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
  REAL(sync_file_range);
  if (fails_file(fd, NO_SPACE, NULL)) return -1;
  return real(fd, offset, length, flags);
}
