#include "attention/tiled/bfloat16_kernels.h"

#include <bit>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/tiled/tile_operands.h"
#include "base/random.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::tensor;

namespace {

float rounded(float x) {  // to nearest, ties to even
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U);
}
float widened(BFloat16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16); }
BFloat16 narrowed(float x) {
  return {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(rounded(x)) >> 16)};
}

std::vector<float> drawn(std::int64_t count, double size, std::uint32_t which) {
  std::vector<float> x(static_cast<std::size_t>(count));
  asap::base::RandomStream random(31, asap::base::RandomPurpose::test, which);
  for (float& value : x) value = static_cast<float>(size * random.normal());
  return x;
}

std::vector<const BFloat16KernelSet*> sets() {
  std::vector<const BFloat16KernelSet*> found;
  for (const auto unit : {BFloat16Unit::dot_product, BFloat16Unit::tiles})
    if (const BFloat16KernelSet* set = bfloat16_kernels(unit)) found.push_back(set);
  if (found.empty()) MESSAGE("skipped: this processor has no products of bfloat16");
  return found;
}

/// One block of queries and one of keys, with what the kernels read.
struct Block {
  std::int64_t rows, keys, inner, columns;
  std::vector<float> x, key_values, packed, row_offset, column_offset;
  std::vector<BFloat16> x_rounded, keys_paired;

  Block(const BFloat16KernelSet& set, std::int64_t n, std::int64_t m, std::int64_t d)
      : rows(n),
        keys(m),
        inner(d),
        columns(key_block_width(m, 0)),
        x(drawn(kRowBlock * d, 0.3, 1)),
        key_values(drawn(m * d, 0.3, 2)),
        packed(static_cast<std::size_t>(columns * d)),
        row_offset(drawn(kRowVector, 1, 3)),
        column_offset(drawn(columns, 1, 4)),
        x_rounded(x.size()),
        keys_paired(packed.size()) {
    const std::vector<float> mean(static_cast<std::size_t>(d));
    pack_keys({key_values.data(), m, d}, 1, mean, packed.data());
    std::fill(column_offset.begin() + m, column_offset.end(), -INFINITY);
    set.narrow(x.data(), kRowBlock * d, x_rounded.data());
    set.pair_keys(packed.data(), d, columns, keys_paired.data());
  }
  GibbsTile tile() const {
    return {x.data(), inner, rows, packed.data(), columns, row_offset.data(), column_offset.data()};
  }
  /// By the definition, on rounded operands.
  double entry(std::int64_t i, std::int64_t j) const {
    if (j >= keys) return 0;
    double exponent = static_cast<double>(row_offset[i]) + static_cast<double>(column_offset[j]);
    for (std::int64_t d = 0; d < inner; ++d)
      exponent += static_cast<double>(rounded(x[i * inner + d])) *
                  static_cast<double>(rounded(key_values[j * inner + d]));
    return std::exp2(exponent);
  }
};

struct ProductSizes {
  std::int64_t rows, keys, inner;
};
const std::vector<ProductSizes> kProductSizes = {
    {24, 96, 32}, {24, 112, 64}, {24, 90, 8}, {17, 112, 16}, {16, 49, 32},
    {9, 16, 96},  {8, 33, 2},    {1, 5, 32},  {24, 96, 48},  {20, 64, 30}};

}  // namespace

TEST_CASE("entries of K from products of bfloat16 equal a naive loop on rounded operands") {
  for (const BFloat16KernelSet* set : sets())
    for (const ProductSizes& s : kProductSizes) {
      CAPTURE(s.rows);
      CAPTURE(s.keys);
      CAPTURE(s.inner);
      const Block block(*set, s.rows, s.keys, s.inner);
      const std::int64_t padded = round_up(s.rows, kTileRows);
      std::vector<float> out(kRowBlock * block.columns), row_sums(kRowBlock * kTilePadding);
      set->gibbs_tile(block.tile(), block.x_rounded.data(), block.keys_paired.data(), out.data(),
                      row_sums.data());
      std::vector<BFloat16> entries(kRowBlock * block.columns);
      std::vector<float> column_sums(block.columns, 0.5f);
      set->gibbs_tile_columns(block.tile(), block.x_rounded.data(), block.keys_paired.data(),
                              entries.data(), column_sums.data(), {});
      std::vector<double> columns(block.columns, 0.5);
      for (std::int64_t i = 0; i < padded; ++i) {
        double row = 0, sum = 0;
        for (std::int64_t j = 0; j < block.columns; ++j) {
          const double expected = block.entry(i, j);
          row += expected;
          columns[j] += expected;
          const auto at = static_cast<std::size_t>(i * block.columns + j);
          CHECK(static_cast<double>(out[at]) == doctest::Approx(expected).epsilon(3e-6));
          CHECK(static_cast<double>(widened(entries[at])) ==
                doctest::Approx(expected).epsilon(4e-3));
        }
        for (std::int64_t lane = 0; lane < kTilePadding; ++lane)
          sum += static_cast<double>(row_sums[i * kTilePadding + lane]);
        CHECK(sum == doctest::Approx(row).epsilon(3e-6));
      }
      for (std::int64_t j = 0; j < block.columns; ++j)
        CHECK(static_cast<double>(column_sums[j]) == doctest::Approx(columns[j]).epsilon(3e-6));
    }
}

TEST_CASE("products of bfloat16 with values equal a naive loop, whatever lies behind the values") {
  for (const BFloat16KernelSet* set : sets())
    for (const ProductSizes& s : kProductSizes)
      for (const std::int64_t width : {16, 32, 48, 80}) {
        CAPTURE(s.rows);
        CAPTURE(s.keys);
        CAPTURE(width);
        const std::int64_t columns = key_block_width(s.keys, 0);
        std::vector<BFloat16> tile(kRowBlock * columns);
        const std::vector<float> entries = drawn(kRowBlock * columns, 1, 5);
        for (std::int64_t i = 0; i < kRowBlock; ++i)
          for (std::int64_t j = 0; j < columns; ++j)
            tile[i * columns + j] = narrowed(j < s.keys ? entries[i * columns + j] : 0.0f);
        std::vector<float> values = drawn(s.keys * width, 1, 6);
        std::vector<BFloat16> paired(round_up(s.keys, kTilePadding) * width, BFloat16{0x7fc0});
        set->pair_values(values.data(), s.keys, width, paired.data());
        std::vector<float> out = drawn(kRowBlock * width, 1, 7);
        const std::vector<float> before = out;
        set->add_values(tile.data(), s.rows, columns, paired.data(), s.keys, width, out.data());
        for (std::int64_t i = 0; i < s.rows; ++i)
          for (std::int64_t d = 0; d < width; ++d) {
            double expected = static_cast<double>(before[i * width + d]);
            for (std::int64_t j = 0; j < s.keys; ++j)
              expected += static_cast<double>(widened(tile[i * columns + j])) *
                          static_cast<double>(rounded(values[j * width + d]));
            CHECK(std::abs(static_cast<double>(out[i * width + d]) - expected) < 2e-5);
          }
      }
}
