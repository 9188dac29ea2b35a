// Environment by which a parent says what its child may reach, as paths parted by colons: what is read and run, device
// nodes, and what is written, too. Results: 0 done, -1 not asked to, else errno.
#define MO_READ "MOTCUA_SANE_READ"
#define MO_DEVICES "MOTCUA_SANE_DEVICES"
#define MO_WRITE "MOTCUA_SANE_WRITE"
extern int mo_sane_landlock, mo_sane_filter;
extern long mo_sane_foreign(long number);
