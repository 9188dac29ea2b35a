// What early.c could do before main: 0 done, -1 not asked to, else errno.
#define MO_READABLE "MOTCUA_SANDBOX_READABLE"
extern int mo_landlock, mo_capabilities, mo_abi;
