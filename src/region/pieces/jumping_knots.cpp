#include "region/pieces/jumping_knots.h"

#include <algorithm>
#include <limits>

#include "region/pieces/cell_units.h"
#include "region/pieces/free_knots.h"
#include "region/pieces/knot_candidates.h"
#include "region/pieces/knot_edits.h"
#include "region/pieces/piece_sums.h"

namespace asap::region {
namespace {

using Parts = std::vector<PiecewiseLinear>;

constexpr int kJumpIterations = 60;
constexpr int kJumpRounds = 30;
constexpr auto kAtJump = static_cast<std::ptrdiff_t>(KnotProgram::kCellsAtJump);

/// Refines parts on cells: knots, values and the places of the jumps.
class Settling {
 public:
  Settling(const Cells& cells, Parts parts) : cells_(cells), parts_(std::move(parts)) {
    for (std::size_t p = 0; p + 1 < parts_.size(); ++p) {
      const double middle = 0.5 * (parts_[p].x.back() + parts_[p + 1].x.front());
      begins_.push_back(first_from(middle));
    }
    begins_.insert(begins_.begin(), 0);
    begins_.push_back(static_cast<std::ptrdiff_t>(cells_.size()));
  }

  JumpingFit run() && {
    fit_parts();
    for (int round = 0; round < kJumpRounds && move_jumps(); ++round) fit_parts();
    JumpingFit fit;
    double cost = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p)
      cost += total_cost(piece_sums(cells_of_part(p), parts_[p]));
    fit.mse = cost / total_weight(cells_);
    fit.parts = std::move(parts_);
    return fit;
  }

 private:
  /// The first cell with x >= at.
  std::ptrdiff_t first_from(double at) const {
    return std::lower_bound(cells_.begin(), cells_.end(), at,
                            [](const Cell& cell, double x) { return cell.x < x; }) -
           cells_.begin();
  }

  Cells cells_of_part(std::size_t p) const {
    return {cells_.begin() + begins_[p], cells_.begin() + begins_[p + 1]};
  }

  void fit_parts() {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const Cells cells = cells_of_part(p);
      PiecewiseLinear& part = parts_[p];
      part = reaching(std::move(part), cells.front().left, cells.back().right);
      part = refine_knots(cells, fit_values(cells, part).function, kJumpIterations).function;
    }
  }

  /// Moves every jump inside the pieces beside it to where their lines fit best.
  bool move_jumps() {
    bool moved = false;
    for (std::size_t p = 0; p + 1 < parts_.size(); ++p) {
      const PiecewiseLinear &left = parts_[p], &right = parts_[p + 1];
      const std::ptrdiff_t from =
          std::max(begins_[p], first_from(left.x[left.x.size() - 2])) + kAtJump;
      const std::ptrdiff_t to = std::min(begins_[p + 2], first_from(right.x[1])) - kAtJump;
      const std::int64_t last = left.pieces() - 1;
      const auto gain = [&](std::ptrdiff_t c) {  // of a cell that moves from right to left
        const Cell& cell = cells_[static_cast<std::size_t>(c)];
        const double at_left = left.y.back() + left.slope(last) * (cell.x - left.x.back());
        const double at_right = right.y.front() + right.slope(0) * (cell.x - right.x.front());
        return cell.cost(at_left, left.slope(last)) - cell.cost(at_right, right.slope(0));
      };
      if (from > begins_[p + 1] || to < begins_[p + 1]) continue;
      std::ptrdiff_t best = begins_[p + 1];
      double least = 0, cost = 0;
      const double clear = -1e-12 * total_weight(cells_);
      for (std::ptrdiff_t c = begins_[p + 1]; c < to; ++c) {
        cost += gain(c);
        if (cost < least + clear) {
          least = cost;
          best = c + 1;
        }
      }
      cost = 0;
      for (std::ptrdiff_t c = begins_[p + 1]; c > from; --c) {
        cost -= gain(c - 1);
        if (cost < least + clear) {
          least = cost;
          best = c - 1;
        }
      }
      moved = moved || best != begins_[p + 1];
      begins_[p + 1] = best;
    }
    return moved;
  }

  const Cells& cells_;
  Parts parts_;
  std::vector<std::ptrdiff_t> begins_;  // first cell of every part, then the number of cells
};

/// Parts with values of zero between the knots of a path; none where a part is too short.
Parts parts_of(const Cells& cells, const KnotPath& path) {
  Parts parts;
  PiecewiseLinear part{{cells.front().left}, {0}};
  const auto end = [&](double x) {
    part.x.push_back(x);
    part.y.push_back(0);
  };
  std::size_t next = 0;
  for (std::size_t k = 0; k < path.knots.size(); ++k) {
    if (!path.jumps[k]) {
      end(path.knots[k]);
      continue;
    }
    while (next < cells.size() && cells[next].x < path.knots[k]) ++next;
    if (next == 0 || next >= cells.size() || !(cells[next - 1].right > part.x.back())) return {};
    end(cells[next - 1].right);
    parts.push_back(std::move(part));
    part = {{cells[next].left}, {0}};
  }
  if (!(cells.back().right > part.x.back())) return {};
  end(cells.back().right);
  parts.push_back(std::move(part));
  return parts;
}

JumpingFit unscaled(const CellUnits& units, JumpingFit fit) {
  for (PiecewiseLinear& part : fit.parts) part = units.unscaled(std::move(part));
  fit.mse = units.unscaled_error(fit.mse);
  return fit;
}

}  // namespace

int JumpingFit::pieces() const {
  std::int64_t sum = 0;
  for (const PiecewiseLinear& part : parts) sum += part.pieces();
  return static_cast<int>(sum);
}

std::vector<Jump> jumps_of(const std::vector<PiecewiseLinear>& parts) {
  std::vector<Jump> jumps;
  for (std::size_t p = 0; p + 1 < parts.size(); ++p) {
    Jump jump{parts[p].x.back(), parts[p + 1].x.front(), 0};
    const double middle = 0.5 * (jump.left + jump.right);
    jump.height = parts[p + 1](middle) - parts[p](middle);
    jumps.push_back(jump);
  }
  return jumps;
}

PiecewiseLinear joined(const std::vector<PiecewiseLinear>& parts) {
  PiecewiseLinear all;
  for (const PiecewiseLinear& part : parts) {
    all.x.insert(all.x.end(), part.x.begin(), part.x.end());
    all.y.insert(all.y.end(), part.y.begin(), part.y.end());
  }
  return all;
}

std::vector<JumpingFit> jumping_knots(const Samples& samples, int pieces, int jumps,
                                      const EnoughJumping& enough) {
  const Cells original = cells_of(samples, kSearchedCells);
  const CellUnits units(original);
  const Cells cells = units.scaled(original);
  const Cells all =
      samples.size() > kSearchedCells ? units.scaled(cells_of(samples, kRefinedCells)) : Cells();
  KnotProgram program(cells, knot_candidates(cells, kMostCandidates), jumps);
  program.add_piece();
  std::vector<JumpingFit> fits;
  for (int p = 2; p <= pieces; ++p) {
    program.add_piece();
    bool exact = false;
    for (int j = 1; j <= std::min(jumps, p - 1) && !exact; ++j) {
      JumpingFit best;
      best.mse = std::numeric_limits<double>::infinity();
      for (const KnotPath& path : program.best(j)) {
        Parts parts = parts_of(cells, path);
        if (parts.empty()) continue;
        JumpingFit fit = Settling(cells, std::move(parts)).run();
        if (fit.mse < best.mse) best = std::move(fit);
      }
      if (best.parts.empty()) continue;
      if (!all.empty()) best = Settling(all, std::move(best.parts)).run();
      exact = best.mse <= kExactError;
      fits.push_back(unscaled(units, std::move(best)));
    }
    if (exact || (enough && !fits.empty() && enough(fits))) break;
  }
  return fits;
}

}  // namespace asap::region
