#include "tensor/core/arena.h"

namespace asap::tensor {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{4} << 20;

}  // namespace

void* Arena::take_bytes(std::size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  // An empty arena of several chunks grew in its last pass. One chunk of their size has room for
  // such a pass without gaps; as several, they would stay unused behind longer passes' chunks.
  if (chunk_ == 0 && used_ == 0 && chunks_.size() > 1) {
    const std::size_t size = capacity_bytes();
    chunks_.clear();
    before_.assign(1, 0);
    chunks_.emplace_back(Shape{static_cast<std::int64_t>(size)});
  }
  while (chunk_ < chunks_.size() &&
         used_ + bytes > static_cast<std::size_t>(chunks_[chunk_].size())) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const std::size_t size = std::max(bytes, kChunkBytes);
    before_.push_back(capacity_bytes());
    chunks_.emplace_back(Shape{static_cast<std::int64_t>(size)});
  }
  void* memory = chunks_[chunk_].data() + used_;
  used_ += bytes;
  peak_ = std::max(peak_, before_[chunk_] + used_);
  return memory;
}

std::size_t Arena::capacity_bytes() const {
  std::size_t total = 0;
  for (const Tensor<std::byte>& chunk : chunks_) total += static_cast<std::size_t>(chunk.size());
  return total;
}

}  // namespace asap::tensor
