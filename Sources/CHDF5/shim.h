#pragma once
// What Swift cannot import from HDF5: macros that call H5open, cast, or differ between 1.10, 1.14 and 2.0.
#include <hdf5.h>

static inline hid_t kvh5_int64_le(void) { return H5T_STD_I64LE; }
static inline hid_t kvh5_float64_le(void) { return H5T_IEEE_F64LE; }
static inline hid_t kvh5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t kvh5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t kvh5_native_int(void) { return H5T_NATIVE_INT; }
static inline hid_t kvh5_c_string(void) { return H5T_C_S1; }
static inline hid_t kvh5_object_reference(void) { return H5T_STD_REF_OBJ; }

static inline hid_t kvh5_class_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t kvh5_class_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t kvh5_class_dataset_create(void) { return H5P_DATASET_CREATE; }

static inline hid_t kvh5_default(void) { return H5P_DEFAULT; }
static inline hid_t kvh5_all(void) { return H5S_ALL; }
static inline unsigned kvh5_creation_order(void) { return H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED; }

static inline void kvh5_silence_errors(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
static inline hid_t kvh5_error_stack(void) { return H5E_DEFAULT; }

static inline hid_t kvh5_create_file(const char *name, hid_t fcpl, hid_t fapl) {
    return H5Fcreate(name, H5F_ACC_TRUNC, fcpl, fapl);
}
static inline hid_t kvh5_open_file(const char *name, hid_t fapl) {
    return H5Fopen(name, H5F_ACC_RDONLY, fapl);
}

// The first superblock, which has no checksum: before 2.0, H5Fget_file_image clears a flag byte in later ones and
// leaves their checksum wrong (https://github.com/HDFGroup/hdf5/pull/5489). What is created after kvh5_use_new_objects
// has attributes of any size and checksums on headers and chunk indexes, readable by HDF5 1.10 and later.
static inline herr_t kvh5_use_first_superblock(hid_t fapl) {
    return H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
}
static inline herr_t kvh5_use_new_objects(hid_t file) {
    return H5Fset_libver_bounds(file, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
}

// A file access list for a file that lives in memory only.
static inline hid_t kvh5_memory_access(void) {
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    if (fapl < 0) return fapl;
    if (H5Pset_fapl_core(fapl, (size_t)1 << 20, 0) < 0) {
        H5Pclose(fapl);
        return -1;
    }
    return fapl;
}

static inline herr_t kvh5_make_reference(hobj_ref_t *reference, hid_t location, const char *name) {
    return H5Rcreate(reference, location, name, H5R_OBJECT, -1);
}

// The C compiler of this module, which is Swift's own Clang.
static inline const char *_Nonnull kvh5_compiler(void) { return __VERSION__; }
