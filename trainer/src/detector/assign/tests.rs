use super::*;
use crate::testing::square;
use emotion_models::face_net;

/// The values of a cell that predicts the box.
fn knowing(cell: GridCell, region: &Region) -> [f32; VALUES] {
    [
        3.0,
        (region.x + region.width / 2.0 - cell.x) / cell.stride,
        (region.y + region.height / 2.0 - cell.y) / cell.stride,
        (region.width / cell.stride).ln(),
        (region.height / cell.stride).ln(),
    ]
}

#[test]
fn every_face_gets_a_cell_even_from_an_untrained_network() {
    let cells: Vec<GridCell> = face_net::grid_cells(128, 128).collect();
    let logits = vec![0.0; cells.len() * VALUES];
    // Smaller than a place, usual, larger than the coarsest stride, and at the border.
    let faces = [
        square(60.0, 60.0, 5.0),
        square(10.0, 90.0, 24.0),
        square(40.0, 2.0, 80.0),
        square(122.0, 120.0, 6.0),
    ];
    let assignments = assign(&cells, &logits, &faces);
    for face in 0..faces.len() {
        assert!(
            assignments.iter().any(|assignment| assignment.face == face),
            "{face}: {assignments:?}"
        );
    }
    let mut order: Vec<usize> = assignments
        .iter()
        .map(|assignment| assignment.cell)
        .collect();
    order.dedup();
    assert_eq!(
        order.len(),
        assignments.len(),
        "a cell is assigned to one face"
    );
    assert!(assign(&cells, &logits, &[]).is_empty());
}

#[test]
fn cells_with_the_right_box_are_assigned() {
    let cells: Vec<GridCell> = face_net::grid_cells(128, 128).collect();
    let face = square(40.0, 40.0, 30.0);
    let mut logits = vec![-3.0; cells.len() * VALUES];
    let knows = |index: &usize| {
        let [within, near] = position(cells[*index], &face);
        within && near && cells[*index].stride == 16.0
    };
    let knowing_cells: Vec<usize> = (0..cells.len()).filter(knows).collect();
    assert!(knowing_cells.len() > 1);
    for &index in &knowing_cells {
        let values = knowing(cells[index], &face);
        logits[index * VALUES..][..VALUES].copy_from_slice(&values);
    }
    let assignments = assign(&cells, &logits, &[face]);
    let found: Vec<usize> = assignments
        .iter()
        .map(|assignment| assignment.cell)
        .collect();
    assert!(found.iter().all(|cell| knowing_cells.contains(cell)));
    assert!(found.len() + 1 >= knowing_cells.len().min(COUNTED));
    assert!(
        assignments
            .iter()
            .all(|assignment| assignment.overlap > 0.99)
    );
}

#[test]
fn of_two_faces_at_one_place_the_cheaper_one_has_it() {
    let cells: Vec<GridCell> = face_net::grid_cells(32, 32).collect();
    let faces = [square(1.0, 1.0, 6.0), square(0.0, 0.0, 8.0)];
    let mut logits = vec![0.0; cells.len() * VALUES];
    logits[..VALUES].copy_from_slice(&knowing(cells[0], &faces[1]));
    let assignments = assign(&cells, &logits, &faces);
    let first = assignments
        .iter()
        .find(|assignment| assignment.cell == 0)
        .unwrap();
    assert_eq!(first.face, 1);
}
