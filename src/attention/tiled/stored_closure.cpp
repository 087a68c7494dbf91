#include "attention/tiled/stored_closure.h"

#include <algorithm>
#include <limits>
#include <numbers>

#include "attention/stored/column_updates.h"
#include "attention/stored/relaxed_sweep.h"
#include "attention/stored/row_sums.h"
#include "attention/stored/scaling_kernels.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

constexpr float kLog2E = std::numbers::log2e_v<float>;
/// Entries of K below the smallest normal float, 2^-126, may be lost. Scalings whose product is at
/// most this would have made at most 2^-30 of them.
constexpr float kLargestScaling = 0x1p96f;

/// K = exp(S + r + c) of one head in whole rows, and the scalings of its iterations. Logarithms are
/// in base 2.
class StoredRows {
 public:
  StoredRows(const AttentionHead<float>& head, tensor::Arena& arena)
      : head_(head),
        arena_(arena),
        n_(head.queries.rows),
        m_(head.keys.rows),
        stride_(padded_columns<float>(m_)),
        gibbs_{arena.take<float>(n_ * stride_), n_, m_, stride_},
        row_offset_(arena.vector<float>(n_)),
        sums_(arena.vector<float>(round_up(n_, kRowVector))),
        inverse_sums_(arena.vector<float>(round_up(n_, kRowVector))),
        weights_(arena.vector<float>(round_up(n_, kRowVector))),
        mean_scores_(arena.vector<float>(stride_)),
        column_sums_(arena.vector<float>(stride_)),
        v_(arena.vector<float>(stride_)),
        start_(arena.vector<float>(stride_)) {
    std::ranges::fill(sums_, 1.0f);  // logarithms are taken of whole vectors
  }

  bool begin(const DualFeatures& features, DualRecursion& recursion);
  void correct(int stage, DualRecursion& recursion);
  bool begin_loop();
  void relax(int stage, const DualMap<float>& map, const RelaxedDual& dual);
  tensor::VectorView<float> loop_dual() const;
  void iterate();
  bool close_columns();
  void sum_rows();
  void apply(tensor::MatrixView<float> output);
  double next_column_error();
  double row_error() const;
  double start_column_error() const;
  bool go_on_with_loop(int iterations);
  bool repeat_loop(int iterations);
  bool trustworthy() const { return trustworthy_; }

 private:
  tensor::VectorView<float> live_rows(tensor::VectorView<float> x) const {
    return x.first(static_cast<std::size_t>(n_));
  }
  void shift_scores(tensor::VectorView<float> row_shift, tensor::VectorView<float> column_shift);
  void add_means(tensor::VectorView<const float> row_shift);
  template <class Update>
  void update_rows(const Update& update);

  const AttentionHead<float>& head_;
  tensor::Arena& arena_;
  std::int64_t n_, m_, stride_;
  tensor::MatrixView<float> gibbs_;
  tensor::VectorView<float> row_offset_;  // log2 of K_ij over 2^(x_i . y_j) but for columns: [n]
  // Sums of K diag(v) by row, their inverses, and the weights behind the column sums: [n], and room
  // for whole vectors.
  tensor::VectorView<float> sums_, inverse_sums_, weights_;
  tensor::VectorView<float> mean_scores_, column_sums_;  // [padded m]
  tensor::VectorView<float> v_, start_;  // [padded m], padded with 0; start: v^0 of the loop
  float largest_v_ = 0;
  bool trustworthy_ = true;
};

/// Calls update(first, count, sums, log_weights) for runs of rows as RowUpdate takes them, then
/// makes weights of the logarithms, the largest 1, and takes the column sums of K under them.
template <class Update>
void StoredRows::update_rows(const Update& update) {
  for (std::int64_t first = 0; first < n_; first += kRowVector)
    update(first, std::min(kRowVector, n_ - first), &weights_[first]);
  const tensor::VectorView<float> weights = live_rows(weights_);
  const float largest = tensor::maximum<float>(weights);
  for (float& weight : weights) weight -= largest;
  exp2_values(weights, weights);
  weighted_column_sum<float>(gibbs_, weights, column_sums_);
}

/// Scores and their shifts, and the column scaling that the teacher's loop starts from.
void StoredRows::shift_scores(tensor::VectorView<float> row_shift,
                              tensor::VectorView<float> column_shift) {
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, head_.scale, head_.queries,
                      head_.keys, 0, gibbs_);
  score_shifts<float>(gibbs_, row_shift, column_shift);
  const auto live = static_cast<std::size_t>(m_);
  for (std::size_t j = 0; j < live; ++j) start_[j] = -kLog2E * column_shift[j];
  exp2_values(start_.first(live), start_.first(live));
  std::fill(start_.begin() + m_, start_.end(), 0.0f);
}

/// Means of scores by row, with the shift, and by column. They are scores of means.
void StoredRows::add_means(tensor::VectorView<const float> row_shift) {
  std::fill_n(v_.begin(), m_, kLog2E / static_cast<float>(m_));
  std::fill(v_.begin() + m_, v_.end(), 0.0f);
  row_sums(gibbs_, v_, row_offset_);
  tensor::axpy<float>(kLog2E, row_shift, row_offset_);
  std::ranges::fill(weights_, kLog2E / static_cast<float>(n_));
  weighted_column_sum<float>(gibbs_, live_rows(weights_), mean_scores_);
}

/// K, and the first stage of the dual. False if that is out of range.
bool StoredRows::begin(const DualFeatures& features, DualRecursion& recursion) {
  const tensor::ArenaScope scope(arena_);
  const tensor::VectorView<float> row_shift = arena_.vector<float>(n_),
                                  column_shift = arena_.vector<float>(stride_),
                                  centred = arena_.vector<float>(stride_),
                                  first_sums = arena_.vector<float>(n_);
  shift_scores(row_shift, column_shift);
  add_means(row_shift);
  // K with these factors has the exponents S_ij + r_i, and those less the mean query's scores: but
  // for terms of their row, the scores of the first dual and of the centred head.
  const auto live = static_cast<std::size_t>(m_);
  for (std::size_t j = 0; j < live; ++j) centred[j] = -kLog2E * column_shift[j] - mean_scores_[j];
  const float largest = tensor::maximum<float>(centred.first(live));
  for (float& exponent : centred.first(live)) exponent -= largest;
  exp2_values(centred.first(live), centred.first(live));
  std::fill(centred.begin() + m_, centred.end(), 0.0f);
  exponentiate_rows(gibbs_, row_shift, column_shift, {centred, sums_}, {start_, first_sums});
  for (std::int64_t i = 0; i < n_; ++i)
    if (!sum_in_range(first_sums[i]) || (features.log_sum_exp && !sum_in_range(sums_[i])))
      return false;
  update_rows([&](std::int64_t first, std::int64_t count, float* log_weights) {
    float sums[2 * kRowVector];
    std::fill_n(sums, 2 * kRowVector, 1.0f);
    std::copy_n(&sums_[first], count, sums);
    std::copy_n(&first_sums[first], count, sums + kRowVector);
    recursion.start(first, count, row_offset_, sums, log_weights);
  });
  return true;
}

/// K, and the scalings of the teacher's first row update. False if one is out of range.
bool StoredRows::begin_loop() {
  const tensor::ArenaScope scope(arena_);
  const tensor::VectorView<float> row_shift = arena_.vector<float>(n_),
                                  column_shift = arena_.vector<float>(stride_);
  shift_scores(row_shift, column_shift);
  exponentiate_and_scale<float>(gibbs_, row_shift, column_shift, start_, live_rows(weights_),
                                column_sums_);
  return std::ranges::all_of(live_rows(weights_),
                             [](float scaling) { return sum_in_range(1 / scaling); });
}

/// The logarithms of these scalings: [n].
tensor::VectorView<float> StoredRows::loop_dual() const {
  const tensor::VectorView<float> dual = arena_.vector<float>(n_);
  log2_values(live_rows(weights_), dual);
  return dual;
}

void StoredRows::relax(int stage, const DualMap<float>& map, const RelaxedDual& dual) {
  relaxed_sweep(gibbs_, v_, map.difference_weights(stage), dual, live_rows(weights_), column_sums_);
}

/// v_j = 1 / column sum. False if one is so small that lost entries of K could matter.
bool StoredRows::close_columns() {
  update_columns<float>(m_, 1, column_sums_, v_);
  largest_v_ = tensor::maximum<float>(v_);
  if (!(largest_v_ <= kLargestScaling)) trustworthy_ = false;
  return trustworthy_;
}

/// Row sums of K diag(v), and the row scalings that are their inverses.
void StoredRows::sum_rows() {
  row_sums(gibbs_, v_, sums_);
  update_columns<float>(n_, 1, sums_, inverse_sums_);
  if (!(tensor::maximum<float>(live_rows(inverse_sums_)) * largest_v_ <= kLargestScaling))
    trustworthy_ = false;
}

void StoredRows::correct(int stage, DualRecursion& recursion) {
  sum_rows();
  update_rows([&](std::int64_t first, std::int64_t count, float* log_weights) {
    recursion.correct(stage, first, count, row_offset_, &sums_[first], log_weights);
  });
}

/// The row update of a plain iteration whose row sums are known, and its column sums.
void StoredRows::iterate() {
  std::ranges::copy(live_rows(inverse_sums_), weights_.begin());
  weighted_column_sum<float>(gibbs_, live_rows(weights_), column_sums_);
}

/// mean_j |M/N sum_i A_ij - 1| of the plan whose rows were summed, from the column sums of the next
/// iteration, which it takes.
double StoredRows::next_column_error() {
  iterate();
  return static_cast<double>(
      column_error<float>(m_, static_cast<float>(n_) / static_cast<float>(m_), column_sums_, v_));
}

/// The row error of that plan before its last row update.
double StoredRows::row_error() const {
  return static_cast<double>(
      column_error<float>(n_, static_cast<float>(m_) / static_cast<float>(n_), sums_, weights_));
}

/// mean_j |M/N sum_i A_ij - 1| of the plan that the loop starts from.
double StoredRows::start_column_error() const {
  return static_cast<double>(column_error<float>(
      m_, static_cast<float>(n_) / static_cast<float>(m_), column_sums_, start_));
}

/// The row and column scalings after this many iterations from v, up to a factor. False where the
/// exp domain does not do.
bool StoredRows::go_on_with_loop(int iterations) {
  for (int t = 0; t < iterations; ++t) {
    scaling_sweep<float>(gibbs_, v_, live_rows(inverse_sums_), column_sums_);
    if (!close_columns()) return false;
  }
  sum_rows();
  return trustworthy_;
}

/// The same from where the teacher's loop starts.
bool StoredRows::repeat_loop(int iterations) {
  std::ranges::copy(start_, v_.begin());
  return go_on_with_loop(iterations);
}

void StoredRows::apply(tensor::MatrixView<float> output) {
  const tensor::ArenaScope scope(arena_);
  const tensor::MatrixView<float> scaled = arena_.matrix<float>(m_, head_.values.cols);
  tensor::scale_rows<float>(head_.values, v_.first(static_cast<std::size_t>(m_)), scaled);
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::no, 1, gibbs_, scaled, 0, output);
  tensor::scale_rows<float>(output, live_rows(inverse_sums_), output);
}

/// The column updates up to the one that follows the last corrected iteration. False where the exp
/// domain does not do.
bool predict(const DualMap<float>& map, const AttentionHead<float>& head, StoredRows& rows,
             tensor::Arena& scratch) {
  TiledHead sizes;  // what the recursion reads of a head without landmarks
  sizes.n = head.queries.rows;
  sizes.m = head.keys.rows;
  DualRecursion recursion(map, head, sizes, scratch);
  if (!rows.begin(map.features, recursion) || !rows.close_columns()) return false;
  for (int t = 1; t <= map.features.corrections; ++t) {
    rows.correct(t, recursion);
    if (!rows.close_columns()) return false;
  }
  return true;
}

/// The first iteration of a map that is a loop whose iterations go farther, and all of the
/// teacher's where its loop takes over at once.
bool begin_relaxing(const LoopGuard* guard, StoredRows& rows, ColumnCertificate& certificate) {
  if (!rows.begin_loop()) return false;
  if (guard) certificate.start_error = rows.start_column_error();
  if (!rows.close_columns()) return false;
  if (!guard || !guard->gives_way_at_once(certificate.start_error)) return true;
  certificate.iterations = guard->whole;
  return rows.go_on_with_loop(guard->whole - 1);
}

/// The column updates of the iterations that follow.
bool relax(const DualMap<float>& map, const AttentionHead<float>& head, StoredRows& rows,
           tensor::Arena& scratch) {
  const RelaxedDual dual{rows.loop_dual(),
                         scratch.matrix<float>(map.features.corrections, head.queries.rows)};
  for (int t = 1; t <= map.features.corrections; ++t) {
    rows.relax(t, map, dual);
    if (!rows.close_columns()) return false;
  }
  return true;
}

}  // namespace

bool close_stored_rows(const DualMap<float>& map, const AttentionHead<float>& head,
                       const Iterations& iterations, tensor::MatrixView<float> output,
                       tensor::Arena& scratch, ColumnCertificate& certificate) {
  const tensor::ArenaScope scope(scratch);
  StoredRows rows(head, scratch);
  const LoopGuard* guard = iterations.loop_guard;
  if (map.features.start) {
    if (!begin_relaxing(guard, rows, certificate)) return false;
    if (certificate.iterations > 0) {
      rows.apply(output);
      return true;
    }
    if (!relax(map, head, rows, scratch)) return false;
  } else if (!predict(map, head, rows, scratch)) {
    return false;
  }
  for (int t = 1; t <= iterations.plain; ++t) {
    rows.sum_rows();
    rows.iterate();
    if (!rows.close_columns()) return false;
  }
  rows.sum_rows();
  if (iterations.bound) certificate.column_error = rows.row_error();
  if (guard && guard->whole > 0 && !(certificate.column_error <= guard->limit)) {
    certificate.iterations = guard->whole;
    if (!rows.repeat_loop(guard->whole)) return false;
  }
  while (iterations.guard && certificate.goes_on(*iterations.guard, rows.next_column_error())) {
    if (!rows.close_columns()) return false;
    rows.sum_rows();
  }
  rows.apply(output);
  return rows.trustworthy();
}

}  // namespace asap::attention
