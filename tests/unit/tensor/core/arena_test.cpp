#include "tensor/core/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

using namespace asap::tensor;

namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

/// Takes `count` pieces and fills them, so that overlaps would show.
void take_pieces(Arena& arena, int count, std::int64_t bytes) {
  std::vector<std::uint8_t*> pieces;
  for (int i = 0; i < count; ++i) {
    pieces.push_back(arena.take<std::uint8_t>(bytes));
    std::fill_n(pieces.back(), bytes, static_cast<std::uint8_t>(i));
  }
  for (int i = 0; i < count; ++i) {
    const std::uint8_t* piece = pieces[static_cast<std::size_t>(i)];
    CHECK(piece[0] == i);
    // Every byte equals the next: as fast under sanitizers as without.
    CHECK(std::memcmp(piece, piece + 1, static_cast<std::size_t>(bytes - 1)) == 0);
  }
}

}  // namespace

TEST_CASE("an arena gives aligned memory that does not overlap, and the same after a rewind") {
  Arena arena;
  take_pieces(arena, 9, 1000);
  const Arena::Mark mark = arena.mark();
  auto* first = arena.take<double>(3);
  auto* second = arena.take<char>(1);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % kAlignment == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(second) % kAlignment == 0);
  CHECK(static_cast<void*>(second) != static_cast<void*>(first));
  arena.rewind(mark);
  CHECK(arena.take<double>(3) == first);
}

TEST_CASE("what was taken stays where it is while an arena grows") {
  Arena arena;
  const VectorView<int> kept = arena.vector<int>(1000);
  std::fill(kept.begin(), kept.end(), 7);
  for (int i = 0; i < 4; ++i) {
    const ArenaScope scope(arena);
    take_pieces(arena, 3, 5 * kMebibyte);
  }
  CHECK(std::count(kept.begin(), kept.end(), 7) == 1000);
  // A scope that ends above the first piece keeps the chunks: kept lies in one of them.
  CHECK(arena.capacity_bytes() == static_cast<std::size_t>(19 * kMebibyte));
}

TEST_CASE("passes that become longer need no more memory than the longest, and a gap") {
  for (const bool clears : {true, false}) {
    Arena arena;
    for (int length = 1; length <= 64; ++length) {
      const ArenaScope scope(arena);
      take_pieces(arena, 8, length * kMebibyte / 8);
      if (clears) arena.clear();
    }
    // Chunks that are never merged would hold several times 64 MiB.
    CHECK(arena.capacity_bytes() <= static_cast<std::size_t>(80 * kMebibyte));
    CHECK(arena.peak_bytes() <= arena.capacity_bytes());
  }
}

TEST_CASE("the longest pass first takes all memory at once, in one chunk from the second on") {
  Arena arena;
  for (int length = 64; length >= 1; --length) {
    const ArenaScope scope(arena);
    take_pieces(arena, 8, length * kMebibyte / 8);
    CHECK(arena.capacity_bytes() == static_cast<std::size_t>(64 * kMebibyte));
  }
  auto* begin = arena.take<std::byte>(8 * kMebibyte);
  CHECK(arena.take<std::byte>(56 * kMebibyte) == begin + 8 * kMebibyte);
  CHECK(arena.capacity_bytes() == static_cast<std::size_t>(64 * kMebibyte));
}

TEST_CASE("an arena reports the most that was in use, also after it became one chunk") {
  Arena arena;
  CHECK(arena.peak_bytes() == 0);
  take_pieces(arena, 1, 3 * kMebibyte);
  CHECK(arena.peak_bytes() == static_cast<std::size_t>(3 * kMebibyte));
  take_pieces(arena, 1, 2 * kMebibyte);  // does not fit into the first chunk of 4 MiB
  CHECK(arena.peak_bytes() == static_cast<std::size_t>(6 * kMebibyte));
  arena.clear();
  take_pieces(arena, 1, kMebibyte);
  CHECK(arena.peak_bytes() == static_cast<std::size_t>(6 * kMebibyte));
  take_pieces(arena, 1, 7 * kMebibyte);  // in the chunk of 8 MiB
  CHECK(arena.capacity_bytes() == static_cast<std::size_t>(8 * kMebibyte));
  CHECK(arena.peak_bytes() == static_cast<std::size_t>(8 * kMebibyte));
}

TEST_CASE("nothing taken is nothing: empty views do no harm to an empty arena") {
  Arena arena;
  const MatrixView<float> empty = arena.matrix<float>(0, 8);
  CHECK(empty.rows == 0);
  const Arena::Mark mark = arena.mark();
  take_pieces(arena, 3, 4 * kMebibyte);
  arena.rewind(mark);
  take_pieces(arena, 1, 12 * kMebibyte);
  CHECK(arena.capacity_bytes() == static_cast<std::size_t>(12 * kMebibyte));
}
