CREATE TABLE IF NOT EXISTS encord_annotations (
    -- hash of the label row
    label_hash VARCHAR,
    -- data hash of the data unit that the label row is about
    data_hash VARCHAR,
    -- title of that data unit
    data_title VARCHAR,
    -- the dataset that the data unit is in
    dataset_hash VARCHAR,
    -- the label branch
    branch VARCHAR,
    -- image, video, img_group, audio, plain_text, group, scene, ...
    data_type VARCHAR,
    -- data hash of the image in an image group, or of the file in a data group; else as data_hash
    unit VARCHAR,
    -- number of the frame, of the image in its group, of the page or of the slice; 0 for an image; null for a range, and for a classification of the whole data unit
    frame BIGINT,
    -- width of the image in pixels; null where there are none
    width BIGINT,
    -- height of the image in pixels
    height BIGINT,
    -- object or classification
    kind VARCHAR,
    -- hash of the object or classification; the same on all frames and ranges
    hash VARCHAR,
    -- hash of the ontology's object or classification
    feature_hash VARCHAR,
    -- name of the ontology's object or classification: the class
    name VARCHAR,
    -- shape of an object, such as bounding_box, audio or text
    shape VARCHAR,
    -- geometry as Encord has it, by its key, in fractions of width and height; null without one
    geometry JSON,
    -- left of the box around the object, parallel to the axes, in pixels; null where it has none
    box_x DOUBLE,
    -- top of that box
    box_y DOUBLE,
    -- width of that box
    box_w DOUBLE,
    -- height of that box
    box_h DOUBLE,
    -- attributes and their answers here, by name
    answers JSON,
    -- 0 to 1
    confidence DOUBLE,
    -- whether a person drew it
    manual BOOLEAN,
    -- who made it
    created_by VARCHAR,
    -- when it was made
    created_at TIMESTAMPTZ,
    -- who edited it last
    last_edited_by VARCHAR,
    -- when it was edited last
    last_edited_at TIMESTAMPTZ,
    -- the project's id
    project_id VARCHAR,
    -- title of the dataset
    dataset_title VARCHAR,
    -- title of the image or file that unit names
    unit_title VARCHAR,
    -- pixels that the object covers, without holes; null where it has no area
    area DOUBLE,
    -- degrees clockwise, of shapes that can be rotated
    rotation DOUBLE,
    -- first position of a range, in range_unit; null on frames
    range_start BIGINT,
    -- last position of the range, included; null if it has no end
    range_end BIGINT,
    -- milliseconds (audio), characters (text, HTML), nanoseconds (from the start of a recorded scene) or axis (as the axis of the time series counts)
    range_unit VARCHAR,
    -- in HTML, the node in which range_start counts
    range_start_xpath VARCHAR,
    -- in HTML, the node in which range_end counts
    range_end_xpath VARCHAR,
    -- id of the space, in data groups and scenes; null outside of spaces
    space VARCHAR,
    -- image, video, audio, point_cloud, ...
    space_type VARCHAR,
    -- key of the file in the layout of its data group
    layout_key VARCHAR,
    -- id of the sensor's stream, in scenes
    stream VARCHAR,
    -- in recorded scenes, how the object moves until its next row: hold or linear
    interpolation VARCHAR,
    -- DICOM instance UID of the slice
    instance_uid VARCHAR,
    -- status of the label row; meaningless in projects with a workflow
    label_status VARCHAR,
    -- status of the task of the label row, in projects without a workflow
    annotation_task_status VARCHAR,
    -- when the label row was created
    label_row_created_at TIMESTAMPTZ,
    -- when the label row was last saved
    label_row_last_edited_at TIMESTAMPTZ,
    -- title of the workflow stage that the label row was in when the export listed it
    stage VARCHAR
);
