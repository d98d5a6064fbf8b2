//! Assignment at the least total cost: the Hungarian method with potentials (Kuhn 1955, Munkres 1957), O(n²m).

/// Cost of a pair that is not allowed.
pub(super) const FORBIDDEN: f64 = f64::INFINITY;

/// Cost of leaving a row unpaired: larger than any sum of allowed costs, so that as many as possible are paired.
const UNPAIRED: f64 = 1e6;

/// Pairs as many rows with columns as possible at the least total cost. Costs are below 1000, or infinite for pairs that
/// are not allowed. Returns the column of each row.
pub fn assign(
    rows: usize,
    columns: usize,
    cost: &dyn Fn(usize, usize) -> f64,
) -> Vec<Option<usize>> {
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    // The method requires at most as many rows as columns.
    if rows > columns {
        let mut result = vec![None; rows];
        for (column, row) in assign(columns, rows, &|c, r| cost(r, c))
            .into_iter()
            .enumerate()
        {
            if let Some(row) = row {
                result[row] = Some(column);
            }
        }
        return result;
    }

    let bounded = |row: usize, column: usize| cost(row, column).min(UNPAIRED);
    // Index 0 stands for "none"; rows and columns count from 1.
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0; columns + 1];
    let mut came_from = vec![0; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut visited = vec![false; columns + 1];
        while row_of[column] != 0 {
            visited[column] = true;
            let current = row_of[column];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for candidate in 1..=columns {
                if visited[candidate] {
                    continue;
                }
                let reduced = bounded(current - 1, candidate - 1)
                    - row_potential[current]
                    - column_potential[candidate];
                if reduced < least[candidate] {
                    least[candidate] = reduced;
                    came_from[candidate] = column;
                }
                if least[candidate] < step {
                    step = least[candidate];
                    next = candidate;
                }
            }
            for candidate in 0..=columns {
                if visited[candidate] {
                    row_potential[row_of[candidate]] += step;
                    column_potential[candidate] -= step;
                } else {
                    least[candidate] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            let previous = came_from[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }

    let mut result = vec![None; rows];
    for column in 1..=columns {
        if row_of[column] > 0 && cost(row_of[column] - 1, column - 1) < UNPAIRED {
            result[row_of[column] - 1] = Some(column - 1);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_cost_counts_and_not_the_best_single_pair() {
        let costs = [[1.0, 2.0], [1.5, 9.0]];
        assert_eq!(assign(2, 2, &|r, c| costs[r][c]), [Some(1), Some(0)]);
    }

    #[test]
    fn more_pairs_come_before_cheaper_ones() {
        let costs = [[0.0, 100.0], [100.0, FORBIDDEN]];
        assert_eq!(assign(2, 2, &|r, c| costs[r][c]), [Some(1), Some(0)]);
    }

    #[test]
    fn forbidden_pairs_and_surplus_rows_stay_unpaired() {
        assert_eq!(assign(2, 1, &|r, _| [5.0, 4.0][r]), [None, Some(0)]);
        assert_eq!(assign(1, 2, &|_, c| [5.0, 4.0][c]), [Some(1)]);
        assert_eq!(assign(2, 2, &|_, _| FORBIDDEN), [None, None]);
        assert_eq!(assign(0, 3, &|_, _| 0.0), []);
        assert_eq!(assign(2, 0, &|_, _| 0.0), [None, None]);
    }

    #[test]
    fn no_other_pairing_of_small_matrices_is_cheaper() {
        let mut seed = 1_u32;
        for _ in 0..200 {
            let mut number = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(seed >> 24)
            };
            let costs: [[f64; 4]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| number()));
            let found = assign(3, 4, &|r, c| costs[r][c]);
            let total: f64 = (0..3).map(|r| costs[r][found[r].unwrap()]).sum();
            let mut best = f64::INFINITY;
            for a in 0..4 {
                for b in (0..4).filter(|b| *b != a) {
                    for c in (0..4).filter(|c| *c != a && *c != b) {
                        best = best.min(costs[0][a] + costs[1][b] + costs[2][c]);
                    }
                }
            }
            assert_eq!(total, best, "{costs:?}");
        }
    }
}
