#include <cerrno>

#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {

int errno_of(Errc code) {
  switch (code) {
    case Errc::not_found: return ENOENT;
    case Errc::exists: return EEXIST;
    case Errc::no_attribute: return ENODATA;
    case Errc::not_dir: return ENOTDIR;
    case Errc::is_dir: return EISDIR;
    case Errc::not_empty: return ENOTEMPTY;
    case Errc::denied: return EACCES;
    case Errc::read_only: return EROFS;
    case Errc::not_permitted: return EPERM;
    case Errc::conflict: return ESTALE;
    case Errc::stale: return ESTALE;
    case Errc::throttled: return EIO;
    case Errc::unavailable: return EIO;
    case Errc::timeout: return EIO;
    case Errc::credentials: return EACCES;
    case Errc::wrong_region: return EIO;
    case Errc::no_space: return ENOSPC;
    case Errc::too_large: return EFBIG;
    case Errc::name_too_long: return ENAMETOOLONG;
    case Errc::bad_name: return EILSEQ;
    case Errc::corrupt: return EIO;
    case Errc::cancelled: return EINTR;
    case Errc::unsupported: return EOPNOTSUPP;
    case Errc::invalid: return EINVAL;
    case Errc::past_end: return ENXIO;
    case Errc::busy: return EBUSY;
    case Errc::cross_device: return EXDEV;
    case Errc::too_many_open: return EMFILE;
    case Errc::io: return EIO;
    case Errc::internal: return EIO;
  }
  return EIO;
}

int errno_of_lock(const Error& error) {
  switch (error.code) {
    case Errc::busy: return EAGAIN;
    case Errc::unsupported: return ENOLCK;
    default: return errno_of(error);
  }
}

int errno_of(const Error& error) { return error.origin.s3_code == "NoSuchBucket" ? EIO : errno_of(error.code); }

}  // namespace prefixfs::fuse
