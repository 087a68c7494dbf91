#include "transport/assignment.h"

#include <algorithm>
#include <limits>

namespace asap::transport {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Assigns rows one after the other; rows <= columns. Costs are negated gains.
class Assigner {
 public:
  Assigner(tensor::MatrixView<const double> gains, bool transposed)
      : gains_(gains),
        transposed_(transposed),
        rows_(transposed ? gains.cols : gains.rows),
        columns_(transposed ? gains.rows : gains.cols),
        row_price_(rows_, 0),
        column_price_(columns_, 0),
        row_of_(columns_, -1),
        column_of_(rows_, -1),
        path_(columns_),
        distance_(columns_),
        done_(columns_) {}

  /// The column of each row.
  const std::vector<std::int32_t>& run() {
    for (std::int64_t row = 0; row < rows_; ++row) augment(row);
    return column_of_;
  }

 private:
  double cost(std::int64_t row, std::int64_t column) const {
    return transposed_ ? -gains_(column, row) : -gains_(row, column);
  }

  /// Finds the shortest path from a free row to a free column (Dijkstra over reduced costs), and
  /// swaps the assignments on it.
  void augment(std::int64_t start) {
    std::ranges::fill(distance_, kInfinity);
    std::ranges::fill(done_, 0);
    visited_.clear();
    double reached = 0;
    std::int64_t row = start, sink = -1;
    while (sink < 0) {
      visited_.push_back(row);
      std::int64_t nearest = -1;
      for (std::int64_t j = 0; j < columns_; ++j) {
        if (done_[j]) continue;
        const double through = reached + cost(row, j) - row_price_[row] - column_price_[j];
        if (through < distance_[j]) {
          distance_[j] = through;
          path_[j] = static_cast<std::int32_t>(row);
        }
        // Of equally near columns a free one ends the search sooner.
        if (nearest < 0 || distance_[j] < distance_[nearest] ||
            (distance_[j] == distance_[nearest] && row_of_[j] < 0 && row_of_[nearest] >= 0))
          nearest = j;
      }
      reached = distance_[nearest];
      done_[nearest] = 1;
      if (row_of_[nearest] < 0)
        sink = nearest;
      else
        row = row_of_[nearest];
    }
    update_prices(start, reached);
    while (true) {
      const std::int32_t owner = path_[sink];
      row_of_[sink] = owner;
      const std::int32_t before = column_of_[owner];
      column_of_[owner] = static_cast<std::int32_t>(sink);
      if (owner == start) break;
      sink = before;
    }
  }

  void update_prices(std::int64_t start, double reached) {
    row_price_[start] += reached;
    for (const std::int64_t row : visited_)
      if (row != start) row_price_[row] += reached - distance_[column_of_[row]];
    for (std::int64_t j = 0; j < columns_; ++j)
      if (done_[j]) column_price_[j] -= reached - distance_[j];
  }

  tensor::MatrixView<const double> gains_;
  bool transposed_;
  std::int64_t rows_, columns_;
  std::vector<double> row_price_, column_price_;
  std::vector<std::int32_t> row_of_, column_of_, path_;
  std::vector<double> distance_;
  std::vector<char> done_;
  std::vector<std::int64_t> visited_;
};

}  // namespace

std::vector<std::int32_t> largest_assignment(tensor::MatrixView<const double> gains) {
  if (gains.rows == 0 || gains.cols == 0)
    return std::vector<std::int32_t>(static_cast<std::size_t>(gains.rows), -1);
  if (gains.rows <= gains.cols) return Assigner(gains, false).run();
  std::vector<std::int32_t> columns(static_cast<std::size_t>(gains.rows), -1);
  Assigner assigner(gains, true);
  const std::vector<std::int32_t>& rows = assigner.run();
  for (std::size_t j = 0; j < rows.size(); ++j)
    columns[static_cast<std::size_t>(rows[j])] = static_cast<std::int32_t>(j);
  return columns;
}

}  // namespace asap::transport
