#include "predict/growing_file.h"

#include <utility>

#include "base/error.h"

namespace asap::predict {

GrowingFile::GrowingFile(std::filesystem::path path)
    : path_(std::move(path)),
      unfinished_(path_.string() + ".part"),
      stream_(unfinished_, std::ios::binary | std::ios::trunc) {
  check();
}

GrowingFile::~GrowingFile() {
  if (finished_) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(unfinished_, ignored);
}

void GrowingFile::check() const {
  if (!stream_)
    throw base::DataError("'" + path_.string() + "' cannot be written",
                          "is there space on the device?");
}

void GrowingFile::append(std::string_view text) {
  stream_.write(text.data(), static_cast<std::streamsize>(text.size()));
  check();
}

void GrowingFile::finish() {
  stream_.close();
  check();
  std::error_code error;
  std::filesystem::rename(unfinished_, path_, error);
  if (error)
    throw base::DataError("'" + path_.string() + "' cannot be written: " + error.message());
  finished_ = true;
}

}  // namespace asap::predict
